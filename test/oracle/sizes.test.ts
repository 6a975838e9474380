import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Oracle, WAYS } from '../support/oracle.ts';

/** The most columns of a table, and of a select list. */
const TABLE_COLUMNS = 1600;
const QUERY_COLUMNS = 1664;

const columns = (count: number, of: (n: number) => string) =>
  `SELECT ${Array.from({ length: count }, (_, n) => `${of(n)} AS c${n}`).join(', ')}`;

let oracle: Oracle;

beforeAll(async () => {
  oracle = await Oracle.start();
});
afterEach(async () => oracle.expectNothingLeft());
afterAll(async () => oracle?.stop());

describe.each(WAYS)('%s', (way) => {
  it.each(['format csv', 'format binary'])('100 MB of text in one row, %s', async (options) => {
    const query = `SELECT 1, repeat('0123456789abcde"', 6250000), 2 UNION ALL SELECT 3, NULL, 4`;
    const [comparison] = await oracle.expectSame(way, [{ query, options }]);
    expect(comparison?.exported).toHaveProperty('rows', 2);
  });

  it(`${TABLE_COLUMNS} columns`, async () => {
    const queries = [
      columns(TABLE_COLUMNS, (n) => `${n}`),
      columns(TABLE_COLUMNS, (n) => (n % 3 === 0 ? 'NULL::text' : `'é${n % 10}'`)),
    ];
    const cases = queries.flatMap((query) =>
      ['format text', 'format csv, header, force_quote *', 'format binary'].map((options) => ({
        query,
        options,
      })),
    );
    for (const { exported } of await oracle.expectSame(way, cases))
      expect(exported).toHaveProperty('rows', 1);
  });

  it('a query of 1 MB, and of more, with semicolons inside and at the end', async () => {
    const list = (bytes: number) => `VALUES ${`(';', 1),`.repeat(bytes / 9)} ('x', 2);`;
    await oracle.expectSame(way, [
      // COPY does not accept a semicolon at the end, so it is put into a comment.
      { query: list(990_000).replace(/;$/, ' --;') },
      { query: list(1_500_000).replace(/;$/, ' --;') },
    ]);
  });
});

it('columns and rows that only COPY can have: an ordinary role is told what to do', async () => {
  const tooMany = columns(QUERY_COLUMNS, (n) => `${n}`);
  const tooWide = columns(1000, () => `repeat('x', 50)`);
  await oracle.expectSame('direct', [{ query: tooMany }, { query: tooWide }]);

  const role = await oracle.testStack.createRole(oracle.session, { mayExport: true });
  const ordinary = await oracle.testStack.connect(role);
  const told = { hint: expect.stringContaining('pg_write_server_files') as unknown };
  for (const [query, code] of [
    [tooMany, '54011'],
    [tooWide, '54000'],
  ]) {
    await expect(
      ordinary.query(`SELECT aws_s3.query_export_to_s3($1, 'sample-bucket', 'wide')`, [query]),
    ).rejects.toMatchObject({ ...told, code });
  }
  await oracle.testStack.expectNothingLeft(ordinary);
});
