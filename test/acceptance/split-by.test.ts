import type pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { queryColumns } from '../../packages/sluice/src/tables/column-types.ts';
import type { Piece } from '../../packages/sluice/src/tables/piece.ts';
import { planPieces, planQueryPieces } from '../../packages/sluice/src/tables/plan-pieces.ts';
import { SnapshotKeeper } from '../../packages/sluice/src/tables/snapshot-keeper.ts';
import { copiedRows } from '../support/copied-rows.ts';
import { expectSameRows, PieceSessions, readPieces } from '../support/piece-sessions.ts';
import { VALUES_OF_TYPES } from '../support/type-values.ts';

/** Cut by ranges of a column, each row is in one piece, whatever the values. */

let sessions: PieceSessions;
let superuser: pg.Client;

beforeAll(async () => {
  sessions = await PieceSessions.start();
  superuser = sessions.superuser;
});
afterEach(() => sessions.clean());
afterAll(async () => sessions?.stop());

interface Cut {
  pieces: readonly Piece[];
  /** How many rows each piece has. */
  rows: readonly number[];
}

/** Cuts `shop.t`, or a query, by a column, and reads the pieces with other settings. */
async function cut(
  splitBy: string,
  {
    query,
    pieces: minPieces = 10,
    tables = ['shop.t'],
  }: { query?: string; pieces?: number; tables?: string[] } = {},
): Promise<Cut> {
  const request = query === undefined ? { tables } : { queries: [query] };
  await using keeper = await SnapshotKeeper.open(sessions.keeper, request);
  const options = { pieceBytes: 1e9, minPieces, splitBy };
  const pieces = await keeper.use((client) =>
    query === undefined
      ? planPieces(client, keeper.tables, options)
      : planQueryPieces(client, query, options),
  );
  await keeper.join(sessions.reader);
  // None of them may change what a bound means.
  await sessions.reader.query(`
    SET LOCAL DateStyle = 'SQL, DMY'; SET LOCAL TimeZone = 'Asia/Kathmandu'; SET LOCAL standard_conforming_strings = off;
    SET LOCAL escape_string_warning = off`);
  const whole = await copiedRows(sessions.reader, query ?? `SELECT * FROM ONLY ${tables[0]}`);
  const read = await readPieces(sessions.reader, pieces);
  await sessions.reader.query('ROLLBACK');
  expectSameRows(read.flat(), whole);
  return { pieces, rows: read.map(({ length }) => length) };
}

const NEITHER = ['analyzed', 'sampled'] as const;

describe.each(NEITHER)('%s', (statistics) => {
  const analyze = async () => {
    if (statistics === 'analyzed') await superuser.query('ANALYZE shop.t');
  };

  it.each([
    ['smallint', 'g % 3000 - 1500'],
    ['integer', 'g * 1000 - 2000000'],
    ['bigint', 'g::bigint * g * g * 1000000 - 9e18::bigint'],
    ['oid', 'g * 1000'],
    ['numeric', '(g - 1000) / 7.0'],
    ['date', `'0044-03-15 BC'::date + g * 300`],
    ['timestamp without time zone', `'0001-01-01 BC'::timestamp + g * '1 year 3 days 0.001 s'::interval`],
    ['timestamp with time zone', `'2024-03-31 00:00+00'::timestamptz + g * '7 min 0.000001 s'::interval`],
    ['uuid', 'md5(g::text)::uuid'],
    ['text', `CASE WHEN g % 2 = 0 THEN md5(g::text) ELSE 'é日本 '' \\ ' || repeat('x', g % 150) || g END`],
    ['character varying', 'chr(97 + g % 26) || chr(65 + g % 25) || g'],
    ['character(20)', `chr(97 + g % 26) || repeat(' ', g % 4) || chr(9 + g % 60)`],
  ])('by %s, with NULLs, duplicates and the type’s extremes', async (type, value) => {
    const edges = VALUES_OF_TYPES[type.replace(/\(.*/, '')] ?? [];
    expect(edges.length).toBeGreaterThan(1);
    await superuser.query(`
      CREATE TABLE shop.t ("The Key" ${type}, n int);
      INSERT INTO shop.t SELECT ${value}, g FROM generate_series(1, 4000) AS g;
      INSERT INTO shop.t SELECT ${value}, -g FROM generate_series(1, 4000, 5) AS g;
      INSERT INTO shop.t SELECT NULL, g FROM generate_series(1, 300) AS g;
      INSERT INTO shop.t VALUES ${edges.map((edge) => `(${edge}, 0)`).join(', ')};`);
    await analyze();
    const { pieces, rows } = await cut('The Key');
    expect(pieces.length).toBeGreaterThanOrEqual(9);
    expect(Math.max(...rows)).toBeLessThan(1500);
    expect(pieces.at(-1)?.sql).toMatch(/WHERE "The Key" IS NULL$/);
    expect(rows.at(-1)).toBe(300);
  });

  it('a value that most rows have is a piece of its own, and adds no empty ones', async () => {
    await superuser.query(`
      CREATE TABLE shop.t AS SELECT CASE WHEN g % 10 = 0 THEN g ELSE 5000 END AS a FROM generate_series(1, 10000) AS g`);
    await analyze();
    const { rows } = await cut('a', { pieces: 20 });
    expect(rows.length).toBeLessThanOrEqual(21);
    expect(Math.min(...rows)).toBeGreaterThan(0);
    expect(Math.max(...rows)).toBeLessThan(9600);
  });

  it('as few pieces as values', async () => {
    await superuser.query(`CREATE TABLE shop.t AS SELECT g % 3 AS a FROM generate_series(1, 3000) AS g`);
    await analyze();
    expect((await cut('a', { pieces: 100 })).rows).toEqual([1000, 1000, 1000]);
  });

  it('nothing but NULLs, and nothing at all', async () => {
    await superuser.query(`CREATE TABLE shop.t (a int)`);
    await analyze();
    expect((await cut('a')).rows).toEqual([0]);
    await superuser.query(`INSERT INTO shop.t SELECT NULL FROM generate_series(1, 100)`);
    await analyze();
    expect((await cut('a')).rows).toEqual([0, 100]);
  });

  it('by a domain, and in an order that is not that of the bytes', async () => {
    await superuser.query(`
      CREATE DOMAIN shop.word AS text COLLATE "en-x-icu" CHECK (VALUE <> 'never');
      CREATE TABLE shop.t (a shop.word);
      INSERT INTO shop.t SELECT chr(65 + g % 26) || chr(97 + g % 25) || chr(192 + g % 60) FROM generate_series(1, 9000) AS g;
      INSERT INTO shop.t SELECT lower(a) FROM shop.t`);
    await analyze();
    expect((await cut('a')).rows.length).toBeGreaterThan(5);
  });

  it('by a column whose order takes different texts for equal ones', async () => {
    await superuser.query(`
      CREATE COLLATION shop.anycase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
      CREATE TABLE shop.t (a text COLLATE shop.anycase);
      INSERT INTO shop.t SELECT CASE WHEN g % 2 = 0 THEN 'Word ' ELSE 'wORD ' END || g / 8 FROM generate_series(1, 5000) AS g`);
    await analyze();
    expect((await cut('a')).rows.length).toBeGreaterThan(5);
  });

  it('a partitioned table, as a whole', async () => {
    await superuser.query(`
      CREATE TABLE shop.p (a int, b text) PARTITION BY HASH (b);
      CREATE TABLE shop.p0 PARTITION OF shop.p FOR VALUES WITH (MODULUS 2, REMAINDER 0);
      CREATE TABLE shop.p1 PARTITION OF shop.p FOR VALUES WITH (MODULUS 2, REMAINDER 1);
      INSERT INTO shop.p SELECT g, 'row ' || g FROM generate_series(1, 5000) AS g`);
    if (statistics === 'analyzed') await superuser.query('ANALYZE shop.p');
    await using keeper = await SnapshotKeeper.open(sessions.keeper, { tables: ['shop.p'] });
    const pieces = await keeper.use((client) =>
      planPieces(client, keeper.tables, { pieceBytes: 50_000, splitBy: 'a' }),
    );
    await keeper.join(sessions.reader);
    const rows = (await readPieces(sessions.reader, pieces)).flat();
    expect(pieces.length).toBeGreaterThan(4);
    expect(new Set(rows).size).toBe(5000);
    expect(rows.length).toBe(5000);
  });
});

describe('queries', () => {
  it('with columns of one name, a comment at the end, and NULLs that no sample has seen', async () => {
    const query = `SELECT g AS id, 1 AS x, 2 AS x, 'a;b' FROM generate_series(1, 5000) AS g -- the end`;
    const { pieces } = await cut('id', { query });
    expect(pieces.length).toBe(10);
    expect(pieces.at(-1)?.sql).toContain('OR "id" IS NULL');
  });

  it('a view, whatever the planner expects of it', async () => {
    await superuser.query(`CREATE VIEW shop.v AS SELECT g AS id FROM generate_series(1, 5000) AS g`);
    expect((await cut('id', { tables: ['shop.v'] })).rows.length).toBe(10);
  });

  it('are one piece, as they are, without a column to split by', async () => {
    await superuser.query('CREATE TABLE shop.t AS SELECT generate_series(1, 1000) AS a; ANALYZE shop.t');
    await sessions.keeper.query('BEGIN');
    const query = 'TABLE shop.t';
    expect(await planQueryPieces(sessions.keeper, query, { pieceBytes: 1 })).toEqual([
      { table: undefined, index: 0, sql: query, estimatedBytes: 4000, estimatedRows: 1000, pages: 0 },
    ]);
    await expect(planQueryPieces(sessions.keeper, 'SELECT 1; SELECT 2', { pieceBytes: 1 })).rejects.toThrow(
      'cannot insert multiple commands',
    );
  });

  it('have the columns and types that their results have', async () => {
    await superuser.query(`CREATE SCHEMA IF NOT EXISTS shop; CREATE TYPE shop.mood AS ENUM ('sad')`);
    await sessions.keeper.query('BEGIN; SET LOCAL search_path = shop');
    const query = `SELECT 1.5::numeric(10,2) AS a, 'sad'::mood AS "A b", 1 AS "A b", '{}'::varchar(3)[] AS c -- end`;
    expect(await queryColumns(sessions.keeper, query)).toEqual([
      { name: 'a', type: 'numeric(10,2)' },
      { name: 'A b', type: 'shop.mood' },
      { name: 'A b', type: 'integer' },
      { name: 'c', type: 'character varying(3)[]' },
    ]);
  });

  it.each([
    ['a column that is not there', 'SELECT 1 AS a', 'b', 'the query has no column "b" to be split by'],
    ['two columns of the name', 'SELECT 1 AS a, 2 AS a', 'a', 'the query has more than one column "a"'],
    [
      'a type without one order',
      `SELECT '{}'::jsonb AS a`,
      'a',
      'the query cannot be split by "a", because of its type',
    ],
    ['SQL', 'SELECT 1 AS a', 'a" IS NULL; DROP TABLE t --', 'has no column "a"" IS NULL; DROP TABLE t --"'],
  ])('%s is an error', async (_, query, column, message) => {
    await sessions.keeper.query('BEGIN');
    const plan = planQueryPieces(sessions.keeper, query, { pieceBytes: 1, minPieces: 2, splitBy: column });
    await expect(plan).rejects.toMatchObject({
      code: 'invalid_argument',
      message: expect.stringContaining(message),
    });
  });
});

it('a large table without statistics is sampled by some of its pages', async () => {
  await superuser.query(`
    CREATE TABLE shop.t (id int, padding text) WITH (autovacuum_enabled = off);
    ALTER TABLE shop.t ALTER padding SET STORAGE PLAIN;
    INSERT INTO shop.t SELECT g, repeat('x', 1800) FROM generate_series(1, 60000) AS g`);
  await superuser.query('SELECT pg_stat_reset()');
  const { rows } = await cut('id', { pieces: 8 });
  expect(rows.length).toBe(8);
  expect(Math.max(...rows)).toBeLessThan(60000 / 4);
});
