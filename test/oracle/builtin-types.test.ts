import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Oracle, WAYS, type OracleCase } from '../support/oracle.ts';
import { NO_VALUES, VALUES_OF_TYPES } from '../support/type-values.ts';

const FORMATS = ['format text', 'format csv, header, force_quote *', 'format binary'];

let oracle: Oracle;
/** Every built-in type of this server that a column of a query can have, except arrays. */
let types: { type: string; hasArray: boolean }[];
/** The row types of its catalogs. Some have columns of a pseudo-type. */
let rowTypes: string[];

beforeAll(async () => {
  oracle = await Oracle.start();
  const { rows } = await oracle.session.query<{ type: string; isRow: boolean; hasArray: boolean }>(`
    SELECT format_type(oid, NULL) AS type, typtype = 'c' AS "isRow", typarray <> 0 AS "hasArray" FROM pg_type
    WHERE typnamespace = 'pg_catalog'::regnamespace AND typtype <> 'p' AND typcategory <> 'A' ORDER BY oid`);
  types = rows.filter(({ isRow }) => !isRow);
  rowTypes = rows.filter(({ isRow }) => isRow).map(({ type }) => type);
});
afterEach(async () => oracle.expectNothingLeft());
afterAll(async () => oracle?.stop());

/** A query with a row for each value and one for NULL; if the type has an array type, each value also in an array. */
function queryOf({ type, hasArray }: { type: string; hasArray: boolean }): string {
  const rows = ['NULL', ...valuesOf(type)].map((value, n) => `(${n}, ${value}::${type})`).join(', ');
  return `SELECT n, v${hasArray ? ', ARRAY[v, NULL, v] AS a' : ''} FROM (VALUES ${rows}) AS t (n, v)`;
}

function valuesOf(type: string): readonly string[] {
  return VALUES_OF_TYPES[type] ?? [];
}

describe.each(WAYS)('%s', (way) => {
  it('every built-in type: edge values, NULL, arrays of them', async () => {
    const queries = types.map((type) => queryOf(type));
    const cases = queries.flatMap((query) => FORMATS.map((options) => ({ query, options })));
    const comparisons = await oracle.expectSame(way, cases);
    // Some types have no binary form.
    const failed = comparisons.filter(({ exported }) => 'code' in exported && exported.code !== '42883');
    expect(failed.map(({ query, exported }) => [query, exported])).toEqual([]);
  });

  it('row types of all catalogs, and rows of some', async () => {
    const together = 20;
    const cases: OracleCase[] = [];
    for (let start = 0; start < rowTypes.length; start += together) {
      const columns = rowTypes
        .slice(start, start + together)
        .flatMap((type) => [`NULL::${type}`, `'{}'::${type}[]`]);
      cases.push({ query: `SELECT ${columns.join(', ')}`, options: 'format csv, header' });
    }
    const catalogs = ['pg_type', 'pg_attribute', 'pg_proc', 'pg_stats'];
    // An export from outside has settings of its own in its transaction.
    for (const catalog of way === 'outside' ? catalogs : [...catalogs, 'pg_settings']) {
      cases.push({ query: `SELECT r, ARRAY[r] FROM ${catalog} AS r LIMIT 50` });
      cases.push({ query: `SELECT r.*, r.* FROM ${catalog} AS r LIMIT 50`, options: 'format csv, header' });
    }
    await oracle.expectSame(way, cases);
  });

  it('composites, rows of tables and catalogs, domains, enums, ranges of our own', async () => {
    const before = `
      CREATE TYPE odd_enum AS ENUM ('a', 'b c', 'quote"', E'back\\\\slash', '');
      CREATE DOMAIN positive AS numeric(8, 2) CHECK (VALUE > 0) DEFAULT 1;
      CREATE DOMAIN many AS int[] CHECK (cardinality(VALUE) < 9);
      CREATE TYPE pair AS (a int, "b ""c" text, d odd_enum, e positive[]);
      CREATE DOMAIN pair_too AS pair;
      CREATE TYPE text_range AS RANGE (subtype = text, collation = "C");
      CREATE TABLE plain (id serial PRIMARY KEY, gone text, t text DEFAULT 'x', p pair,
        twice int GENERATED ALWAYS AS (id * 2) STORED);
      INSERT INTO plain (gone, t, p) VALUES (NULL, E'tab\\t', ROW(1, 'x,"y', 'b c', '{1.5,2}')), ('', '', NULL);
      ALTER TABLE plain DROP COLUMN gone;
      CREATE TABLE child () INHERITS (plain);
      INSERT INTO child (t) VALUES ('inherited');
      GRANT ALL ON plain, child TO PUBLIC;`;
    const queries = [
      `SELECT e, ARRAY[e, NULL], ROW(e, 1)::text FROM unnest(enum_range(NULL::odd_enum)) AS e`,
      `SELECT 1.50::positive, '{1,2}'::many, ROW(1, 'a', 'b c', NULL)::pair, ROW(1, E'\\\\"', NULL, '{1}')::pair_too`,
      `SELECT text_range('a', 'b c'), text_range(NULL, '"'), text_range('a', 'a')`,
      `TABLE plain`,
      `SELECT * FROM ONLY plain`,
      `SELECT plain FROM plain`,
      `SELECT p, (p).*, array_agg(p) OVER () FROM plain`,
      `SELECT tableoid::regclass, ctid, t FROM plain ORDER BY 1, 2`,
      `SELECT c FROM pg_class AS c WHERE relname = 'pg_class'`,
      `SELECT * FROM pg_type ORDER BY oid`,
      `SELECT * FROM pg_proc ORDER BY oid LIMIT 100`,
    ];
    await oracle.expectSame(
      way,
      queries.flatMap((query) => FORMATS.map((options) => ({ query, options }))),
      { before },
    );
  });
});

it('has values of every built-in type that can have any', () => {
  const without = types.filter(({ type }) => !NO_VALUES.has(type) && valuesOf(type).length === 0);
  expect(without).toEqual([]);
});
