import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { planPieces } from '../../packages/sluice/src/tables/plan-pieces.ts';
import { SnapshotKeeper } from '../../packages/sluice/src/tables/snapshot-keeper.ts';
import { copiedRows } from '../support/copied-rows.ts';
import { expectSameRows, readPieces } from '../support/piece-sessions.ts';
import { StackWithStandby } from '../support/standby.ts';

/** A hot standby as the source: nothing can be analyzed, exported or locked there that is not allowed to readers. */

let stack: StackWithStandby;
let primary: pg.Client;
let keeperClient: pg.Client;
let reader: pg.Client;

beforeAll(async () => {
  stack = await StackWithStandby.start();
  primary = await stack.testStack.connect();
  await primary.query('CREATE SCHEMA shop');
});
beforeEach(async () => {
  await primary.query('DROP SCHEMA shop CASCADE; CREATE SCHEMA shop');
  [keeperClient, reader] = [await connect(), await connect()];
});
afterEach(async () => {
  await Promise.all([keeperClient, reader].map((client) => client.end().catch(() => undefined)));
});
afterAll(async () => stack?.stop());

async function connect(): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: stack.standby.url });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

it.each([undefined, 'a'])(
  'tables that were never analyzed are cut (split by %s), whatever is replayed meanwhile',
  async (splitBy) => {
    await primary.query(`
    CREATE TABLE shop.t WITH (autovacuum_enabled = off) AS SELECT g AS a, repeat('x', 100) AS v FROM generate_series(1, 5000) AS g;
    CREATE MATERIALIZED VIEW shop.mv AS SELECT a FROM shop.t`);
    await stack.caughtUp();
    await using keeper = await SnapshotKeeper.open(keeperClient, { tables: ['shop.*'] });
    expect(keeper.snapshot).toMatchObject({
      isStandby: true,
      lsn: expect.stringMatching(/^[0-9A-F]+\/[0-9A-F]+$/),
    });
    await primary.query(
      `INSERT INTO shop.t SELECT g FROM generate_series(5001, 9000) AS g; UPDATE shop.t SET v = '' WHERE a < 100`,
    );
    await stack.caughtUp();
    const pieces = await keeper.use((client) =>
      planPieces(client, keeper.tables, { pieceBytes: 32_768, splitBy }),
    );
    expect(pieces.length).toBeGreaterThan(10);
    await keeper.join(reader);
    const expected = await copiedRows(reader, 'SELECT a, v FROM shop.t');
    expected.push(...(await copiedRows(reader, 'SELECT a FROM shop.mv')));
    expect(expected.length).toBe(10_000);
    expectSameRows((await readPieces(reader, pieces)).flat(), expected);
    await keeper.confirm();
  },
);

it('a conflict with what is replayed is told with what to do about it', async () => {
  await primary.query('CREATE TABLE shop.t AS SELECT generate_series(1, 1000) AS a');
  await stack.caughtUp();
  await reader.query('ALTER SYSTEM SET max_standby_streaming_delay = 100');
  await reader.query('SELECT pg_reload_conf()');
  await using keeper = await SnapshotKeeper.open(keeperClient, { tables: ['shop.t'] });
  await primary.query('TRUNCATE shop.t');
  await expect(keeper.lost).rejects.toMatchObject({
    code: 'snapshot_lost',
    detail: expect.stringContaining('conflict with recovery'),
    hint: expect.stringContaining('max_standby_streaming_delay'),
  });
  await reader.query('ALTER SYSTEM RESET max_standby_streaming_delay');
  await reader.query('SELECT pg_reload_conf()');
});

it('an unlogged table is not there to be read', async () => {
  await primary.query('CREATE UNLOGGED TABLE shop.t (a int)');
  await stack.caughtUp();
  await expect(SnapshotKeeper.open(keeperClient, { tables: ['shop.t'] })).rejects.toMatchObject({
    code: 'table_unreadable',
    message: 'the table "shop.t" is unlogged, which a standby cannot read',
  });
});
