import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startLocal, type RunningPostgres } from '@sluice/local';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { planPieces } from '../../packages/sluice/src/tables/plan-pieces.ts';
import { SnapshotKeeper } from '../../packages/sluice/src/tables/snapshot-keeper.ts';
import { copiedRows } from '../support/copied-rows.ts';
import { StandbyData } from '../support/standby.ts';
import { POSTGRES_MAJOR, TestStack } from '../support/test-stack.ts';

/** A hot standby as the source: nothing can be analyzed, exported or locked there that is not allowed to readers. */

let directory: string;
let testStack: TestStack;
let standbyData: StandbyData | undefined;
let standby: RunningPostgres | undefined;
let primary: pg.Client;
let keeperClient: pg.Client;
let reader: pg.Client;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-standby-source-'));
  const options = { dir: join(directory, 'stack'), durable: false, pgVersion: POSTGRES_MAJOR };
  // A copy of the data for the standby needs a server that is stopped.
  await using first = await startLocal(options);
  const setUp = new pg.Client({ connectionString: first.postgres.url });
  await setUp.connect();
  const { rows } = await setUp.query<{ data_directory: string }>('SHOW data_directory');
  await setUp.end();
  await first.stop();
  standbyData = await StandbyData.copyOf(rows[0]?.data_directory ?? '');

  testStack = await TestStack.start(options);
  standby = await standbyData.start(testStack.stack.postgres.url);
  primary = await testStack.connect();
  await primary.query('CREATE SCHEMA shop');
});
beforeEach(async () => {
  await primary.query('DROP SCHEMA shop CASCADE; CREATE SCHEMA shop');
  [keeperClient, reader] = [await connect(), await connect()];
});
afterEach(async () => {
  await Promise.all([keeperClient, reader].map((client) => client.end().catch(() => undefined)));
});
afterAll(async () => {
  await standby?.stop();
  await standbyData?.remove();
  await testStack?.stop();
  await rm(directory, { recursive: true, force: true });
});

async function connect(): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: standby?.url });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

/** Waits until the standby has what the primary has. */
async function caughtUp(): Promise<void> {
  const { rows } = await primary.query<{ lsn: string }>('SELECT pg_current_wal_insert_lsn() AS lsn');
  const replayed = async () =>
    (
      await reader.query<{ done: boolean }>('SELECT pg_last_wal_replay_lsn() >= $1::pg_lsn AS done', [
        rows[0]?.lsn,
      ])
    ).rows[0]?.done;
  await expect.poll(replayed, { timeout: 60_000 }).toBe(true);
}

it.each([undefined, 'a'])(
  'tables that were never analyzed are cut (split by %s), whatever is replayed meanwhile',
  async (splitBy) => {
    await primary.query(`
    CREATE TABLE shop.t WITH (autovacuum_enabled = off) AS SELECT g AS a, repeat('x', 100) AS v FROM generate_series(1, 5000) AS g;
    CREATE MATERIALIZED VIEW shop.mv AS SELECT a FROM shop.t`);
    await caughtUp();
    await using keeper = await SnapshotKeeper.open(keeperClient, { tables: ['shop.*'] });
    expect(keeper.snapshot).toMatchObject({
      isStandby: true,
      lsn: expect.stringMatching(/^[0-9A-F]+\/[0-9A-F]+$/),
    });
    await primary.query(
      `INSERT INTO shop.t SELECT g FROM generate_series(5001, 9000) AS g; UPDATE shop.t SET v = '' WHERE a < 100`,
    );
    await caughtUp();
    const pieces = await keeper.use((client) =>
      planPieces(client, keeper.tables, { pieceBytes: 32_768, splitBy }),
    );
    expect(pieces.length).toBeGreaterThan(10);
    await keeper.join(reader);
    const rows: string[] = [];
    for (const { sql } of pieces) rows.push(...(await copiedRows(reader, sql)));
    const expected = await copiedRows(reader, 'SELECT a, v FROM shop.t');
    expected.push(...(await copiedRows(reader, 'SELECT a FROM shop.mv')));
    expect(expected.length).toBe(10_000);
    expect(rows.toSorted()).toEqual(expected.toSorted());
    await keeper.confirm();
  },
);

it('a conflict with what is replayed is told with what to do about it', async () => {
  await primary.query('CREATE TABLE shop.t AS SELECT generate_series(1, 1000) AS a');
  await caughtUp();
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
  await caughtUp();
  await expect(SnapshotKeeper.open(keeperClient, { tables: ['shop.t'] })).rejects.toMatchObject({
    code: 'table_unreadable',
    message: 'the table "shop.t" is unlogged, which a standby cannot read',
  });
});
