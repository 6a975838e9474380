import type pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { SourceClient } from '../../packages/sluice/src/index.ts';
import { Oracle, WAYS } from '../support/oracle.ts';
import { TestStack } from '../support/test-stack.ts';

/** Databases of each kind, with text that they can store. U+3001 is not a letter, but it can occur in names. */
const DATABASES = [
  { encoding: 'UTF8', texts: ['é', '日本、語', '😀', 'Ελ'] },
  { encoding: 'LATIN1', texts: ['é×', 'ÿ'] },
  { encoding: 'EUC_JP', texts: ['日本、語', 'ｶﾅ', '表ソ能'] },
  { encoding: 'SQL_ASCII', texts: ['é', '日本'] },
];
const FILE_ENCODINGS = [
  'UTF8',
  'LATIN1',
  'LATIN9',
  'WIN1252',
  'EUC_JP',
  'SJIS',
  'BIG5',
  'GB18030',
  'SQL_ASCII',
];

let testStack: TestStack;
let superuser: pg.Client;

beforeAll(async () => {
  testStack = await TestStack.start();
  superuser = await testStack.connect();
});
afterEach(async () => testStack.expectNothingLeft(superuser));
afterAll(async () => testStack?.stop());

describe.each(DATABASES)('a database in $encoding', ({ encoding, texts }) => {
  let session: SourceClient;
  let oracle: Oracle;

  beforeAll(async () => {
    const database = `in_${encoding.toLowerCase()}`;
    await superuser.query(`CREATE DATABASE ${database} TEMPLATE template0 ENCODING '${encoding}' LOCALE 'C'`);
    session = await testStack.connect(undefined, database);
    await session.query('CREATE EXTENSION aws_s3 CASCADE');
    oracle = await Oracle.create(testStack, session);
  });
  afterAll(async () => session?.end());

  it.each(WAYS)('as every encoding of a file and of a client, %s', async (way) => {
    const row = (name: string) =>
      // With encoding SQL_ASCII an ordinary role can't export two columns of one name if it is not ASCII; COPY can.
      `SELECT ${texts.map((text, n) => `'${text}\\";${text}' AS "${name}${text}${n}"`).join(', ')}, 'x' AS "a", 'y' AS "${encoding === 'SQL_ASCII' ? 'b' : 'a'}"`;
    // With a semicolon the whole text goes through the agent; with two columns of one name, the names go through XML.
    const queries = [
      row(''),
      `${row('、').replaceAll('、', encoding.startsWith('LATIN') ? '×' : '、')} -- ;é`,
    ];
    const formats = ['format text', 'format csv, header', `format csv, null '${texts[0]}'`, 'format binary'];
    const cases = queries.flatMap((query) =>
      formats.flatMap((format) => [
        { query, options: format },
        ...FILE_ENCODINGS.map((file) => ({ query, options: `${format}, encoding '${file}'` })),
      ]),
    );
    const comparisons = await oracle.expectSame(way, cases);
    expect(comparisons.filter(({ exported }) => 'rows' in exported).length).toBeGreaterThan(cases.length / 8);
    for (const client of FILE_ENCODINGS.slice(1)) {
      await oracle.expectSame(
        way,
        queries.flatMap((query) => formats.slice(0, 2).map((options) => ({ query, options }))),
        { settings: { client_encoding: client } },
      );
    }
  });

  it('keeps bytes that are no text in any encoding', async () => {
    if (encoding !== 'SQL_ASCII') return;
    const query = `SELECT E'\\xff;\\xe9' AS x, 1 AS "a", 2 AS "a"`;
    for (const way of WAYS) {
      await oracle.expectSame(way, [
        { query, options: `format csv, header, encoding 'SQL_ASCII'` },
        { query },
      ]);
    }
    const [twice] = await oracle.compare('staged', [{ query: 'SELECT 1 AS "é", 2 AS "é"' }]);
    expect(twice?.exported).toMatchObject({ code: '22021' });
    // Here the text of the query is not valid UTF-8.
    await session.query(`
      CREATE FUNCTION odd_query() RETURNS text LANGUAGE sql AS $$ SELECT E'SELECT \\'\\xe9;\\'; ' $$;
      SELECT aws_s3.query_export_to_s3(odd_query(), 'sample-bucket', 'odd', options := 'encoding SQL_ASCII')`);
    expect(await testStack.object('odd')).toEqual(Buffer.from('\xe9;\n', 'latin1'));
  });
});
