import type pg from 'pg';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { planPieces, type PlanOptions } from '../../packages/sluice/src/tables/plan-pieces.ts';
import { SnapshotKeeper } from '../../packages/sluice/src/tables/snapshot-keeper.ts';
import { arbitraryCase } from '../support/arbitrary-cases.ts';
import { copiedBy, copiedRows } from '../support/copied-rows.ts';
import { expectSameRows, PieceSessions, readPieces } from '../support/piece-sessions.ts';

/** Every row of a table is in one piece, as COPY writes it. */

const SEED = Number(process.env['SLUICE_GENERATED_SEED'] ?? Date.now() % 2 ** 31);

let sessions: PieceSessions;
let superuser: pg.Client;

beforeAll(async () => {
  sessions = await PieceSessions.start();
  superuser = sessions.superuser;
});
afterEach(() => sessions.clean());
afterAll(async () => sessions?.stop());

/** COPY reads a table or a materialized view by its name only since 18; other kinds never. */
async function wholeOf(
  client: pg.Client,
  table: { kind: string; columns: readonly { name: string }[] },
  name: string,
) {
  if (table.kind === 'table') return copiedBy(client, `COPY ${name} TO STDOUT`);
  return copiedRows(client, `SELECT ${table.columns.map((c) => `"${c.name}"`).join(', ')} FROM ${name}`);
}

/** Cuts a table, reads its pieces on another connection, and holds them against the whole. Gives the number of pieces. */
async function expectWhole(
  pattern: string,
  options: Partial<PlanOptions> = {},
  { name = pattern, meanwhile }: { name?: string; meanwhile?: () => Promise<unknown> } = {},
): Promise<{ pieces: string[]; rows: number }> {
  await using keeper = await SnapshotKeeper.open(sessions.keeper, { tables: [pattern] });
  const [table] = keeper.tables;
  if (table === undefined) throw new Error('there is no table');
  const whole = await keeper.use((client) => wholeOf(client, table, name));
  await keeper.join(sessions.reader);
  await meanwhile?.();
  const pieces = await keeper.use((client) =>
    planPieces(client, keeper.tables, { pieceBytes: 8192, ...options }),
  );
  expect(pieces.map(({ index }) => index)).toEqual(pieces.map((_, i) => i));
  const read = (await readPieces(sessions.reader, pieces)).flat();
  await sessions.reader.query('ROLLBACK');
  await keeper.confirm();
  expectSameRows(read, whole);
  return { pieces: pieces.map(({ sql }) => sql), rows: read.length };
}

const FILL = `SELECT g AS id, 'row ' || g AS v, repeat('x', g % 200) AS padding FROM generate_series(1, 3000) AS g`;

describe('by ctid', () => {
  it('an empty table is one piece, without a row', async () => {
    await superuser.query('CREATE TABLE shop.t (a int)');
    expect(await expectWhole('shop.t')).toEqual({ pieces: ['SELECT "a" FROM ONLY "shop"."t"'], rows: 0 });
  });

  it('a table of one page is one piece', async () => {
    await superuser.query(`CREATE TABLE shop.t AS SELECT 1 AS a`);
    expect(await expectWhole('shop.t', { pieceBytes: 1 })).toEqual({
      pieces: ['SELECT "a" FROM ONLY "shop"."t"'],
      rows: 1,
    });
  });

  it('many pages with gaps, never analyzed: open at both ends, and of one page at the least', async () => {
    await superuser.query(
      `CREATE TABLE shop.t AS ${FILL}; DELETE FROM shop.t WHERE id % 7 < 3 OR id BETWEEN 500 AND 1500`,
    );
    const { pieces } = await expectWhole('shop.t', { pieceBytes: 1 });
    expect(pieces.length).toBeGreaterThan(20);
    expect(pieces[0]).not.toContain('>=');
    expect(pieces.at(-1)).not.toContain('OPERATOR(pg_catalog.<)');
    const { rows } = await superuser.query<Record<string, string>>(`EXPLAIN ${pieces[3]}`);
    expect(rows[0]?.['QUERY PLAN']).toContain('Tid Range Scan');
  });

  it('TOAST counts: a heap of some pages with much TOAST is many pieces', async () => {
    await superuser.query(`
      CREATE TABLE shop.t (id int, v text);
      ALTER TABLE shop.t ALTER v SET STORAGE EXTERNAL;
      INSERT INTO shop.t SELECT g, repeat(md5(g::text), 2000) FROM generate_series(1, 400) AS g`);
    const { pieces } = await expectWhole('shop.t', { pieceBytes: 8_000_000 });
    expect(pieces.length).toBeGreaterThanOrEqual(3);
  });

  it('1,600 columns', async () => {
    const columns = Array.from({ length: 1600 }, (_, i) => `"Column ${i}"`);
    await superuser.query(`
      CREATE TABLE shop.t (${columns.map((name) => `${name} int2`).join(', ')});
      INSERT INTO shop.t SELECT ${columns.map((_, i) => (i % 2 ? 'NULL' : `g % ${i + 1}`)).join(', ')}
      FROM generate_series(1, 50) AS g`);
    expect((await expectWhole('shop.t')).pieces.length).toBeGreaterThan(5);
  });

  it('a partitioned table by its leaves: a default, partitions of partitions, columns in another order', async () => {
    await superuser.query(`
      CREATE TABLE shop.t (a int, b text, gone int, c int GENERATED ALWAYS AS (a * 2) STORED) PARTITION BY RANGE (a);
      ALTER TABLE shop.t DROP COLUMN gone;
      CREATE TABLE shop.low PARTITION OF shop.t FOR VALUES FROM (0) TO (1000);
      CREATE TABLE shop.middle PARTITION OF shop.t FOR VALUES FROM (1000) TO (2000) PARTITION BY LIST (b);
      CREATE TABLE shop."mid A" PARTITION OF shop.middle FOR VALUES IN ('row A');
      CREATE TABLE shop.mid_rest PARTITION OF shop.middle DEFAULT;
      CREATE TABLE shop.other (b text, c int GENERATED ALWAYS AS (a * 2) STORED, a int);
      ALTER TABLE shop.t ATTACH PARTITION shop.other FOR VALUES FROM (5000) TO (6000);
      CREATE TABLE shop.rest PARTITION OF shop.t DEFAULT;
      INSERT INTO shop.t SELECT g % 7000, 'row ' || chr(65 + g % 3) FROM generate_series(-10, 9000) AS g`);
    const { pieces, rows } = await expectWhole('shop.t', { pieceBytes: 100_000 });
    expect(rows).toBe(9011);
    for (const leaf of ['low', 'mid A', 'mid_rest', 'other', 'rest']) {
      expect(pieces.some((sql) => sql.includes(`FROM ONLY "shop"."${leaf}"`))).toBe(true);
    }
  });

  it('a foreign table is one piece, as a partition, too', async () => {
    const file = await sessions.testStack.copyToFile(
      superuser,
      'SELECT g FROM generate_series(1001, 3000) AS g',
    );
    const options = `SERVER files OPTIONS (filename '${file}')`;
    await superuser.query(`
      CREATE EXTENSION IF NOT EXISTS file_fdw SCHEMA shop; CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
      CREATE TABLE shop.t (a int) PARTITION BY RANGE (a);
      CREATE TABLE shop.here PARTITION OF shop.t FOR VALUES FROM (1) TO (1001);
      CREATE FOREIGN TABLE shop.there PARTITION OF shop.t FOR VALUES FROM (1001) TO (5000) ${options};
      CREATE FOREIGN TABLE shop.f (a int) ${options};
      INSERT INTO shop.t SELECT generate_series(1, 1000)`);
    const { pieces, rows } = await expectWhole('shop.t');
    expect(rows).toBe(3000);
    expect(pieces.filter((sql) => sql.includes('"there"'))).toEqual(['SELECT "a" FROM ONLY "shop"."there"']);
    expect(await expectWhole('shop.f')).toEqual({ pieces: ['SELECT "a" FROM ONLY "shop"."f"'], rows: 2000 });
  });

  it('of a table that others inherit from only its own rows', async () => {
    await superuser.query(`
      CREATE TABLE shop.t (a int); CREATE TABLE shop.child (b int) INHERITS (shop.t);
      INSERT INTO shop.t SELECT generate_series(1, 1000); INSERT INTO shop.child VALUES (1, 2)`);
    expect((await expectWhole('shop.t')).rows).toBe(1000);
  });

  it.each([
    ['mixed case', '"Mixed Case"'],
    ['unicode', '"日本 é 😀"'],
    ['quotes and a line end', `"it's ""so"" \\ \n $1"`],
    ['SQL', `"t; DROP TABLE shop.t --"`],
    ['dots and wildcards', '"a.b*?[c]$"'],
  ])('names: %s', async (_, name) => {
    await superuser.query(
      `CREATE TABLE shop.${name} AS SELECT g AS ${name} FROM generate_series(1, 3000) AS g`,
    );
    expect((await expectWhole(`shop.${name}`)).pieces.length).toBeGreaterThan(5);
  });

  it('generated columns and dropped ones are left out, as by COPY of the table', async () => {
    await superuser.query(`
      CREATE TABLE shop.t (a int, gone text, b int GENERATED ALWAYS AS (a + 1) STORED, c text);
      INSERT INTO shop.t (a, c) SELECT g, 'c' FROM generate_series(1, 2000) AS g; ALTER TABLE shop.t DROP COLUMN gone`);
    expect((await expectWhole('shop.t')).pieces[0]).toContain('SELECT "a", "c" FROM');
  });

  it('a table without columns has as many empty lines as rows', async () => {
    await superuser.query('CREATE TABLE shop.t (); INSERT INTO shop.t SELECT FROM generate_series(1, 5000)');
    const { pieces, rows } = await expectWhole('shop.t');
    expect(rows).toBe(5000);
    expect(pieces.length).toBeGreaterThan(5);
  });

  it('a materialized view', async () => {
    await superuser.query(`CREATE MATERIALIZED VIEW shop.mv AS ${FILL}`);
    expect((await expectWhole('shop.mv')).pieces.length).toBeGreaterThan(5);
  });

  it('a view is one piece', async () => {
    await superuser.query(`CREATE VIEW shop.v AS ${FILL}`);
    expect((await expectWhole('shop.v')).pieces.length).toBe(1);
  });

  it('a table that grows, changes and is vacuumed under the export', async () => {
    await superuser.query(
      `CREATE TABLE shop.t (id int PRIMARY KEY, v text, padding text); INSERT INTO shop.t ${FILL}`,
    );
    const { rows } = await expectWhole(
      'shop.t',
      {},
      {
        meanwhile: async () => {
          await superuser.query(`DELETE FROM shop.t WHERE id % 2 = 0`);
          await superuser.query(`UPDATE shop.t SET v = 'changed', padding = repeat('y', 500)`);
          await superuser.query(
            `INSERT INTO shop.t SELECT g, 'new', '' FROM generate_series(10000, 20000) AS g`,
          );
          await superuser.query('VACUUM (ANALYZE) shop.t');
        },
      },
    );
    expect(rows).toBe(3000);
  });

  it('a table that others write to, delete from and vacuum all the time', async () => {
    await superuser.query(`
      CREATE TABLE shop.t (id int PRIMARY KEY, v text, padding text); INSERT INTO shop.t ${FILL}`);
    const writers = [await sessions.testStack.connect(), await sessions.testStack.connect()];
    const done = new AbortController();
    const write = async (client: pg.Client, i: number): Promise<number> => {
      let writes = 0;
      for (; !done.signal.aborted; writes += 1) {
        const id = 10_000 * (i + 1) + writes;
        await client.query(`INSERT INTO shop.t SELECT ${id}, 'new', repeat('z', ${writes} % 3000)`);
        await client.query(`UPDATE shop.t SET v = v || 'x' WHERE id % 50 = ${(2 * writes + i) % 50}`);
        await client.query(`DELETE FROM shop.t WHERE id % 101 = ${writes % 101}`);
        if (writes % 10 === 0) await client.query('VACUUM shop.t');
      }
      return writes;
    };
    const written = writers.map(write);
    const counts: number[] = [];
    for (let i = 0; i < 10; i += 1) counts.push((await expectWhole('shop.t', { pieceBytes: 1 })).rows);
    done.abort();
    expect(Math.min(...(await Promise.all(written)))).toBeGreaterThan(5);
    expect(new Set(counts).size).toBeGreaterThan(1);
    await Promise.all(writers.map((client) => client.end()));
  });

  it('60 generated tables of all types', async () => {
    let pieces = 0;
    let rows = 0;
    await fc.assert(
      fc.asyncProperty(arbitraryCase(), fc.integer({ min: 1, max: 400 }), async ({ query }, times) => {
        await superuser.query('DROP TABLE IF EXISTS shop.t');
        const { fields } = await superuser.query(`SELECT * FROM (${query}) AS q LIMIT 0`);
        const names = fields.map((_, i) => `"Column ${i}"`).join(', ');
        await superuser.query(
          `CREATE TABLE shop.t (${names}) AS SELECT q.* FROM (${query}) AS q, generate_series(1, ${times})`,
        );
        const result = await expectWhole('shop.t');
        pieces += result.pieces.length;
        rows += result.rows;
      }),
      { seed: SEED, numRuns: 60 },
    );
    console.log(`${rows} rows in ${pieces} pieces; SLUICE_GENERATED_SEED=${SEED}`);
    expect(pieces).toBeGreaterThan(200);
  });
});
