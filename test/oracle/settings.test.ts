import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { expectEqual, Oracle, WAYS, type Comparison, type OracleCase } from '../support/oracle.ts';

/** Queries that take different paths through the extension's SQL, and some that are refused. */
const CASES: readonly OracleCase[] = [
  { query: `SELECT 1 AS "A b", 'x\\y''z', 1.5::float8, now() IS NULL, NULL`, options: 'format csv, header' },
  { query: `SELECT ';' AS a, 2 AS a -- twice`, options: "format csv, header, force_quote (a), quote ''''" },
  { query: `SELECT ROW(1, 'a b') AS r, ARRAY[NULL, 1], xmlelement(name a)` },
  { query: `SELECT 1, 'x'::text, '{1,2}'::int[]`, options: 'format binary' },
  { query: `INSERT INTO log VALUES (1, 'a') RETURNING *` },
  { query: `WITH a AS (SELECT 1) UPDATE log SET t = 'b' WHERE false RETURNING id`, options: 'format binary' },
  { query: 'SELECT 1 / 0' },
  { query: 'SELECT 1', options: 'format csv, delimiter $$ab$$' },
];
/** An ordinary role can't export a pseudo-type in binary, under any setting. */
const PSEUDO_IN_BINARY: OracleCase = { query: 'SELECT ROW(1, 2) AS r', options: 'format binary' };

/** Left out: a setting that ends the session at an error, and those of the transaction itself. */
const LEFT_OUT = [
  'exit_on_error',
  'transaction_read_only',
  'transaction_deferrable',
  'transaction_isolation',
];
/** Values for settings without a list of possible values. */
const TEXTS: Readonly<Record<string, readonly string[]>> = {
  'plpgsql.extra_errors': ['all'],
  'plpgsql.extra_warnings': ['all'],
  search_path: ['', 'pg_catalog, public', 'pg_temp, public', 'public, pg_catalog'],
  DateStyle: ['German, YMD'],
  TimeZone: ['Asia/Kathmandu'],
  extra_float_digits: ['-15'],
  default_transaction_read_only: ['on'],
  lc_messages: ['C'],
};

let oracle: Oracle;

beforeAll(async () => {
  oracle = await Oracle.start();
  await oracle.session.query('CREATE TABLE log (id int, t text); GRANT ALL ON log TO PUBLIC');
});
afterEach(async () => oracle.expectNothingLeft());
afterAll(async () => oracle?.stop());

describe.each(WAYS)('%s', (way) => {
  it('under each value of every setting that a user may change', async () => {
    await oracle.session.query(`DO 'BEGIN END'`); // loads PL/pgSQL, and with it PL/pgSQL's own settings
    const { rows } = await oracle.session.query<{ name: string; values: string[] }>(`
      SELECT name, CASE vartype WHEN 'bool' THEN ARRAY['on', 'off'] ELSE enumvals END AS values FROM pg_settings
      WHERE context = 'user' AND vartype IN ('bool', 'enum') ORDER BY name`);
    const listed = rows.filter(({ name }) => !LEFT_OUT.includes(name));
    expect(listed.length).toBeGreaterThan(50);
    const texts = Object.entries(TEXTS).map(([name, values]) => ({ name, values }));
    for (const { name, values } of [...listed, ...texts]) {
      for (const value of values) {
        try {
          await oracle.expectSame(way, CASES, { settings: { [name]: value } });
          const [pseudo] = await oracle.compare(way, [PSEUDO_IN_BINARY], { settings: { [name]: value } });
          if (pseudo === undefined) throw new Error('a case was left out');
          if (way !== 'staged') expectEqual(way, pseudo);
          else expectRefused(pseudo);
        } catch (error) {
          throw new Error(`with ${name} = ${value}`, { cause: error });
        }
      }
    }
  });
});

function expectRefused({ exported }: Comparison): void {
  if (!('code' in exported) || exported.code !== '0A000')
    throw new Error('a pseudo-type was exported in binary');
}
