import type pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { exportQuery, POSTGRES_MAJOR, TestStack } from '../support/test-stack.ts';

/** Values that COPY has to quote, escape or convert. */
const QUERY = String.raw`
  SELECT * FROM (VALUES
    (1, 'plain', NULL, 1.5, true),
    (2, '', 'comma, "quote" ''single''', 'NaN'::float8, false),
    (3, E'line\nfeed\r\ncarriage\ttab', 'back\slash \. \N', '-Infinity', NULL),
    (4, 'Ελληνικά αβγ', ':;|^', 0, true),
    (5, '\.', ' leading and trailing ', 1e300, false)
  ) AS t (id, "na me", c, d, "E")`;

const OPTIONS: readonly string[] = [
  '',
  'format text',
  "delimiter '|', null '∅'",
  // COPY's text format has a header since PostgreSQL 15.
  ...(POSTGRES_MAJOR >= 15 ? ['format text, header true'] : []),
  'format csv',
  'format csv, delimiter $$:$$',
  'format csv, header',
  "format csv, header true, quote '''', escape '\\', null 'NULL', force_quote (c, \"na me\")",
  'format csv, force_quote *',
  "format csv, delimiter E'\\t', encoding 'WIN1253'",
  'format binary',
  'format binary, encoding WIN1253',
  '(format csv, header)',
];

let testStack: TestStack;
let superuser: pg.Client;
let ordinary: pg.Client;

beforeAll(async () => {
  testStack = await TestStack.start();
  superuser = await testStack.connect();
  await superuser.query(`
    CREATE TABLE log (id int);
    GRANT ALL ON log TO PUBLIC;
    CREATE FUNCTION tell() RETURNS int LANGUAGE plpgsql AS $f$ BEGIN RAISE WARNING 'told'; RETURN 1; END $f$`);
  ordinary = await testStack.connect(await testStack.createRole(superuser, { mayExport: true }));
});
afterEach(async () => testStack.expectNothingLeft(superuser, ordinary));
afterAll(async () => testStack?.stop());

describe.each(['superuser', 'ordinary role'])('exported by a %s', (who) => {
  const session = () => (who === 'superuser' ? superuser : ordinary);

  it.each(OPTIONS)('options "%s" give the bytes of COPY', async (options) => {
    const expected = await testStack.copy(superuser, QUERY, options.replace(/^\((.*)\)$/, '$1'));
    const answer = await exportQuery(session(), QUERY, 'fidelity', options);
    expect(await testStack.object('fidelity')).toEqual(expected);
    expect(answer).toEqual({ rows: 5, files: 1, bytes: expected.length });
  });

  it.each([
    ['no rows', 'SELECT 1 AS x WHERE false', 'format text'],
    ['no rows but a header', 'SELECT 1 AS x WHERE false', 'format csv, header'],
    ['no rows, binary', 'SELECT 1 AS x WHERE false', 'format binary'],
  ])('%s: one file', async (_, query, options) => {
    const expected = await testStack.copy(superuser, query, options);
    expect(await exportQuery(session(), query, 'empty', options)).toEqual({
      rows: 0,
      files: 1,
      bytes: expected.length,
    });
    expect(await testStack.object('empty')).toEqual(expected);
  });

  it.each([
    ['SELECT 1;', 'SELECT 1'],
    ['SELECT 1 -- a comment', 'SELECT 1'],
    ['SELECT 1; -- a comment', 'SELECT 1'],
    ["SELECT ';' /* ; */ ; /* the end */ ;", "SELECT ';'"],
    ['SELECT $x$;$x$', 'SELECT $x$;$x$'],
    ['VALUES (1), (2)', 'VALUES (1), (2)'],
    ['WITH q AS (SELECT 1) TABLE q', 'SELECT 1'],
    [
      'SELECT 1, 2, 3 AS "A b", 4 AS "A b", NULL AS "_x0041_" WHERE 1 = 1',
      'SELECT 1, 2, 3 AS "A b", 4 AS "A b", NULL AS "_x0041_"',
    ],
    ['SELECT 1, 2 WHERE false', 'SELECT 1, 2 WHERE false'],
    ['INSERT INTO log VALUES (1) RETURNING id, id * 2 AS twice', 'SELECT 1 AS id, 2 AS twice'],
    ['/* c */ WITH q AS (SELECT 7 AS x) INSERT INTO log SELECT x FROM q RETURNING *', 'SELECT 7 AS id'],
    ['UPDATE log SET id = id WHERE id = 7 RETURNING id', 'SELECT 7 AS id'],
    ['-- first\nDELETE FROM log WHERE id = 7 RETURNING id;', 'SELECT 7 AS id'],
  ])('takes the query %s', async (query, sameQuery) => {
    await exportQuery(session(), query, 'query', 'format csv, header');
    expect(await testStack.object('query')).toEqual(
      await testStack.copy(superuser, sameQuery, 'format csv, header'),
    );
  });

  it('takes NULL for what may be left out, and any key as given', async () => {
    const keys = ['a b+c%20é/../x//y', 'ключ/日本', '.', '~(!*)\'"&=?#', 'trailing/'];
    for (const key of keys) {
      await session().query('SELECT aws_s3.query_export_to_s3($1, $2, $3, NULL, NULL, NULL)', [
        'SELECT 1',
        'sample-bucket',
        key,
      ]);
      expect((await testStack.object(key)).toString()).toBe('1\n');
    }
  });

  it('strips one leading slash of the path, and overwrites what is there', async () => {
    await exportQuery(session(), 'SELECT 1', '/exports/query-1-export');
    await exportQuery(session(), 'SELECT 22', '/exports/query-1-export');
    expect((await testStack.object('exports/query-1-export')).toString()).toBe('22\n');
  });

  it('sees what the transaction has not committed yet', async () => {
    await session().query('BEGIN; CREATE TEMP TABLE uncommitted AS SELECT 42 AS x');
    try {
      await exportQuery(session(), 'SELECT * FROM uncommitted', 'uncommitted');
    } finally {
      await session().query('ROLLBACK');
    }
    expect((await testStack.object('uncommitted')).toString()).toBe('42\n');
  });

  it.each([
    ['of a long name', `SELECT 1 AS ${'x'.repeat(70)}`, ['42622']],
    ['of a constant', `SELECT to_tsquery('the') AS x, 2 AS x`, ['00000']],
    ['of a change', `INSERT INTO log SELECT length(''::tsquery::text) RETURNING id`, ['00000']],
    ['of its own', `SELECT tell() FROM generate_series(1, 2)`, ['01000', '01000']],
  ])('tells the notices of a query once, as COPY does: those %s', async (_, query, codes) => {
    const notices: (string | undefined)[] = [];
    const listen = ({ code, message }: { code?: string | undefined; message?: string | undefined }) =>
      notices.push(code, message);
    session().on('notice', listen);
    await exportQuery(session(), query, 'notices');
    session().off('notice', listen);
    const exported = notices.splice(0);
    superuser.on('notice', listen);
    await testStack.copy(superuser, query);
    superuser.off('notice', listen);
    expect(exported).toEqual(notices);
    expect(exported.filter((_text, index) => index % 2 === 0)).toEqual(codes);
  });

  it('works in PL/pgSQL with an exception handler, and goes on after a failure in it', async () => {
    const notices: string[] = [];
    const listen = ({ message }: { message?: string | undefined }) => notices.push(message ?? '');
    session().on('notice', listen);
    await session().query(`
      DO $do$
      DECLARE
        uploaded record;
      BEGIN
        FOR n IN 0..3 LOOP
          BEGIN
            SELECT * INTO uploaded FROM aws_s3.query_export_to_s3(
              format('SELECT 6 / %s', n), 'sample-bucket', 'loop/' || n);
            RAISE NOTICE '% %', n, uploaded;
          EXCEPTION WHEN division_by_zero THEN
            RAISE NOTICE '% %', n, SQLERRM;
          END;
        END LOOP;
      END
      $do$`);
    session().off('notice', listen);
    expect(notices).toEqual(['0 division by zero', '1 (1,1,2)', '2 (1,1,2)', '3 (1,1,2)']);
    expect(await testStack.keys('loop/')).toEqual(['loop/1', 'loop/2', 'loop/3']);
  });
});
