import type pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { findTables } from '../../packages/sluice/src/tables/find-tables.ts';
import { planPieces } from '../../packages/sluice/src/tables/plan-pieces.ts';
import { SnapshotKeeper } from '../../packages/sluice/src/tables/snapshot-keeper.ts';
import { readPieces } from '../support/piece-sessions.ts';
import { TestStack } from '../support/test-stack.ts';

/** Which tables patterns mean, and what a role may read of them. */

let testStack: TestStack;
let superuser: pg.Client;
let role: { name: string; password: string };
let session: pg.Client;

beforeAll(async () => {
  testStack = await TestStack.start();
  superuser = await testStack.connect();
  role = await testStack.createRole(superuser, { mayExport: false });
});
beforeEach(async () => {
  await superuser.query(`CREATE SCHEMA shop; GRANT USAGE ON SCHEMA shop TO ${role.name}`);
  session = await testStack.connect(role);
});
afterEach(async () => {
  await session.end();
  await superuser.query('ROLLBACK; DROP SCHEMA IF EXISTS shop, "Other Shop" CASCADE');
  await superuser.query('RESET ALL');
});
afterAll(async () => testStack?.stop());

async function found(client: pg.Client, ...patterns: string[]) {
  await client.query('BEGIN');
  try {
    return await findTables(client, patterns);
  } finally {
    await client.query('ROLLBACK');
  }
}

const names = async (client: pg.Client, ...patterns: string[]) =>
  (await found(client, ...patterns)).tables.map(({ schema, name }) => `${schema}.${name}`);

describe('patterns', () => {
  beforeEach(() =>
    superuser.query(`
      CREATE TABLE shop.orders (id int PRIMARY KEY, v text); CREATE TABLE shop.order_items (id serial);
      CREATE TABLE shop."Orders" (id int); CREATE TABLE shop."a.b" (id int);
      CREATE VIEW shop.ov AS SELECT * FROM shop.orders; CREATE MATERIALIZED VIEW shop.omv AS SELECT * FROM shop.orders;
      CREATE TABLE shop.parts (a int) PARTITION BY LIST (a); CREATE TABLE shop.parts_1 PARTITION OF shop.parts FOR VALUES IN (1);
      CREATE TYPE shop.pair AS (a int, b int);
      CREATE SCHEMA "Other Shop"; CREATE TABLE "Other Shop".orders (id int)`),
  );

  it.each([
    [['shop.orders'], ['shop.orders']],
    [['SHOP.ORDERS'], ['shop.orders']],
    [['shop."Orders"'], ['shop.Orders']],
    [['shop."a.b"'], ['shop.a.b']],
    [['shop.order?'], ['shop.orders']],
    [['shop.order*'], ['shop.order_items', 'shop.orders']],
    [['*.orders'], ['Other Shop.orders', 'shop.orders']],
    [
      ['"Other Shop".*', 'shop.orders', 'shop.orders'],
      ['Other Shop.orders', 'shop.orders'],
    ],
    [['shop.o(rders|mv)'], ['shop.omv', 'shop.orders']],
    [['postgres.shop.ov'], ['shop.ov']],
    [['shop.*'], ['shop.Orders', 'shop.a.b', 'shop.omv', 'shop.order_items', 'shop.orders', 'shop.parts']],
    [['pg_catalog.pg_proc'], ['pg_catalog.pg_proc']],
  ])('%j', async (patterns, expected) => {
    expect(await names(superuser, ...patterns)).toEqual(expected);
  });

  it('look for a name without a schema in those of search_path, in its order', async () => {
    await superuser.query('SET search_path = "Other Shop", shop');
    expect(await names(superuser, 'orders')).toEqual(['Other Shop.orders']);
    expect(await names(superuser, 'order*')).toEqual(['Other Shop.orders', 'shop.order_items']);
    expect((await superuser.query('SHOW search_path')).rows).toEqual([{ search_path: '"Other Shop", shop' }]);
  });

  it('leave views to who names them, and say so', async () => {
    expect((await found(superuser, 'shop.o*')).leftOut).toEqual([
      { schema: 'shop', name: 'ov', kind: 'view' },
    ]);
    expect((await found(superuser, 'shop.o*', 'shop.ov')).leftOut).toEqual([]);
  });

  it.each([
    ['shop.nothing', 'table_not_found', 'no table matches "shop.nothing"'],
    ['nowhere.*', 'table_not_found', 'no table matches "nowhere.*"'],
    ['shop.o?', 'table_not_found', 'no table matches "shop.o?"'],
    ['order_items', 'table_not_found', 'no table matches "order_items"'],
    [
      'shop.order_items_id_seq',
      'invalid_argument',
      '"shop.order_items_id_seq" is a sequence, which has no rows to export',
    ],
    ['shop.orders_pkey', 'invalid_argument', '"shop.orders_pkey" is an index, which has no rows to export'],
    ['shop.pair', 'invalid_argument', '"shop.pair" is a composite type, which has no rows to export'],
    ['shop.(', 'invalid_argument', 'the table pattern "shop.(" is not one: invalid regular expression'],
    [
      'other.shop.orders',
      'invalid_argument',
      'names the database "other", and the connection is to "postgres"',
    ],
    [`shop.orders'; DROP TABLE orders; --`, 'table_not_found', 'no table matches'],
  ])('%s is an error', async (pattern, code, message) => {
    await expect(found(superuser, pattern)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message),
    });
  });

  it('tell where else a table of the name is', async () => {
    await expect(found(superuser, 'order_items')).rejects.toMatchObject({
      detail: expect.stringContaining('there is "shop.order_items"'),
    });
  });

  it('mean no temporary table', async () => {
    await superuser.query('CREATE TEMP TABLE mine (a int)');
    await expect(found(superuser, 'mine')).rejects.toThrow('is a temporary table');
    await superuser.query('DROP TABLE pg_temp.mine');
  });

  it('are not misled by operators and functions that somebody has put into search_path', async () => {
    await superuser.query(`
      CREATE FUNCTION shop.never(name, text) RETURNS bool LANGUAGE sql AS 'SELECT false';
      CREATE FUNCTION shop.never(oid, oid) RETURNS bool LANGUAGE sql AS 'SELECT false';
      CREATE OPERATOR shop.~ (LEFTARG = name, RIGHTARG = text, FUNCTION = shop.never);
      CREATE OPERATOR shop.= (LEFTARG = oid, RIGHTARG = oid, FUNCTION = shop.never);
      CREATE FUNCTION shop.pg_relation_size(oid) RETURNS bigint LANGUAGE sql AS 'SELECT -1';
      SET search_path = shop, pg_catalog`);
    expect(await names(superuser, 'orders')).toEqual(['shop.orders']);
  });
});

describe('tables', () => {
  it('are told with their columns, types and sizes', async () => {
    await superuser.query(`
      CREATE DOMAIN shop.price AS numeric(10, 2); CREATE TYPE shop."Mood" AS ENUM ('sad');
      CREATE TABLE shop.t (a int, gone int, b shop.price, c shop."Mood"[], d varchar(3), e int GENERATED ALWAYS AS (1) STORED);
      ALTER TABLE shop.t DROP COLUMN gone; ALTER TABLE shop.t ALTER d SET STORAGE EXTERNAL;
      INSERT INTO shop.t SELECT g FROM generate_series(1, 1000) AS g; ANALYZE shop.t;
      INSERT INTO shop.t SELECT g FROM generate_series(1, 3000) AS g`);
    const { tables } = await found(superuser, 'shop.t');
    expect(tables).toMatchObject([
      {
        schema: 'shop',
        name: 't',
        kind: 'table',
        isLockable: true,
        columns: [
          { name: 'a', type: 'integer' },
          { name: 'b', type: 'shop.price' },
          { name: 'c', type: 'shop."Mood"[]' },
          { name: 'd', type: 'character varying(3)' },
        ],
        relations: [{ oid: tables[0]?.oid, kind: 'table', hasTidScans: true, toastBytes: 0 }],
      },
    ]);
    const relation = tables[0]?.relations[0];
    // The statistics are old, the size is not.
    expect(relation?.estimatedRows).toBeGreaterThan(3000);
    expect(relation?.estimatedRows).toBeLessThan(5000);
    expect(relation?.heapBytes).toBe((relation?.pages ?? 0) * 8192);
  });

  it('a materialized view without data cannot be exported', async () => {
    await superuser.query('CREATE MATERIALIZED VIEW shop.mv AS SELECT 1 AS a WITH NO DATA');
    await expect(found(superuser, 'shop.mv')).rejects.toMatchObject({
      code: 'table_unreadable',
      message: 'the materialized view "shop.mv" has not been populated',
    });
  });
});

/** All rows that the role exports of one table, and in how many pieces. */
async function exported(pattern: string, pieceBytes = 8192): Promise<{ rows: string[]; pieces: number }> {
  await using keeper = await SnapshotKeeper.open(session, { tables: [pattern] });
  const reader = await testStack.connect(role);
  await keeper.join(reader);
  const pieces = await keeper.use((client) => planPieces(client, keeper.tables, { pieceBytes }));
  const rows = (await readPieces(reader, pieces)).flat();
  await reader.end();
  return { rows: rows.toSorted(), pieces: pieces.length };
}

describe('rights', () => {
  beforeEach(() =>
    superuser.query('CREATE TABLE shop.t AS SELECT g AS a, g % 2 AS b FROM generate_series(1, 1000) AS g'),
  );

  it('a table or a schema that may not be read is an error that names it', async () => {
    await expect(found(session, 'shop.t')).rejects.toMatchObject({
      code: 'table_unreadable',
      message: 'the table "shop.t" may not be read',
      detail: 'The role has no SELECT privilege on it.',
    });
    await superuser.query(
      `GRANT SELECT ON shop.t TO ${role.name}; REVOKE USAGE ON SCHEMA shop FROM ${role.name}`,
    );
    await expect(found(session, 'shop.t')).rejects.toMatchObject({
      code: 'table_unreadable',
      detail: 'The role has no USAGE privilege on the schema "shop".',
    });
  });

  it('all tables that may not be read are named at once', async () => {
    await superuser.query(
      'CREATE TABLE shop.u (a int); CREATE MATERIALIZED VIEW shop.mv AS SELECT 1 WITH NO DATA',
    );
    await superuser.query(`GRANT SELECT ON shop.mv TO ${role.name}`);
    await expect(found(session, 'shop.*')).rejects.toMatchObject({
      code: 'table_unreadable',
      message: '3 tables of the export cannot be read',
      detail:
        'the materialized view "shop.mv" has not been populated; the table "shop.t" may not be read; the table "shop.u" may not be read.',
    });
  });

  it('SELECT on every column is enough, on some of them it is not', async () => {
    await superuser.query(`GRANT SELECT (a) ON shop.t TO ${role.name}`);
    await expect(found(session, 'shop.t')).rejects.toMatchObject({
      code: 'table_unreadable',
      detail: 'The role has no SELECT privilege on the column "b".',
    });
    await superuser.query(`GRANT SELECT (b) ON shop.t TO ${role.name}`);
    const { rows, pieces } = await exported('shop.t');
    expect(rows.length).toBe(1000);
    // ctid is a column, on which there are no rights.
    expect(pieces).toBe(1);
  });

  it('row security holds, and is cut as well', async () => {
    await superuser.query(`
      GRANT SELECT ON shop.t TO ${role.name};
      ALTER TABLE shop.t ENABLE ROW LEVEL SECURITY; CREATE POLICY odd ON shop.t USING (b = 1)`);
    const { rows, pieces } = await exported('shop.t');
    expect(rows.length).toBe(500);
    expect(pieces).toBeGreaterThan(3);
  });

  describe('of a partitioned table', () => {
    beforeEach(() =>
      superuser.query(`
        CREATE TABLE shop.p (a int, b int) PARTITION BY LIST (b);
        CREATE TABLE shop.p0 PARTITION OF shop.p FOR VALUES IN (0); CREATE TABLE shop.p1 PARTITION OF shop.p FOR VALUES IN (1);
        INSERT INTO shop.p SELECT * FROM shop.t; GRANT SELECT ON shop.p TO ${role.name}`),
    );

    it('without rights on the leaves, it is read as a whole', async () => {
      await superuser.query(`GRANT SELECT ON shop.p0 TO ${role.name}`);
      const { rows, pieces } = await exported('shop.p');
      expect(rows.length).toBe(1000);
      expect(pieces).toBe(1);
    });

    it('its own row security is not passed by', async () => {
      await superuser.query(`
        GRANT SELECT ON shop.p0, shop.p1 TO ${role.name};
        ALTER TABLE shop.p ENABLE ROW LEVEL SECURITY; CREATE POLICY few ON shop.p USING (a <= 10)`);
      const { rows, pieces } = await exported('shop.p');
      expect(rows.length).toBe(10);
      expect(pieces).toBe(1);
    });

    it('row security of a leaf does not count when its table is read', async () => {
      await superuser.query(`
        GRANT SELECT ON shop.p0, shop.p1 TO ${role.name};
        ALTER TABLE shop.p0 ENABLE ROW LEVEL SECURITY; CREATE POLICY few ON shop.p0 USING (a <= 10)`);
      expect((await exported('shop.p')).rows.length).toBe(1000);
    });

    it('with rights on the leaves, it is cut', async () => {
      await superuser.query(`GRANT SELECT ON shop.p0, shop.p1 TO ${role.name}`);
      const { rows, pieces } = await exported('shop.p');
      expect(rows.length).toBe(1000);
      expect(pieces).toBeGreaterThan(2);
    });
  });

  it('a server that does not tell its LSN is no hindrance', async () => {
    await superuser.query(`
      GRANT SELECT ON shop.t TO ${role.name};
      REVOKE EXECUTE ON FUNCTION pg_catalog.pg_current_wal_lsn() FROM PUBLIC`);
    const keeper = await SnapshotKeeper.open(session, { tables: ['shop.t'] });
    await superuser.query('GRANT EXECUTE ON FUNCTION pg_catalog.pg_current_wal_lsn() TO PUBLIC');
    expect(keeper.snapshot.lsn).toBeUndefined();
    expect(keeper.snapshot.id).not.toBe('');
    await keeper.end();
  });
});
