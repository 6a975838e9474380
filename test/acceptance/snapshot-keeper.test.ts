import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { SluiceError } from '../../packages/sluice/src/errors.ts';
import type { SnapshotRequest } from '../../packages/sluice/src/tables/open-snapshot.ts';
import { planPieces, planQueryPieces } from '../../packages/sluice/src/tables/plan-pieces.ts';
import { joinSnapshot } from '../../packages/sluice/src/tables/join-snapshot.ts';
import { SnapshotKeeper } from '../../packages/sluice/src/tables/snapshot-keeper.ts';
import { copiedRows } from '../support/copied-rows.ts';
import { readPieces } from '../support/piece-sessions.ts';
import { POSTGRES_MAJOR, TestStack } from '../support/test-stack.ts';

/** One state of the database for all connections, whatever others do meanwhile. */

let testStack: TestStack;
let superuser: pg.Client;
/** Who changes tables under the export. */
let other: pg.Client;
let keeperClient: pg.Client;
let reader: pg.Client;

beforeAll(async () => {
  testStack = await TestStack.start();
  superuser = await testStack.connect();
  other = await testStack.connect();
  await other.query(`SET lock_timeout = '20ms'`);
});
beforeEach(async () => {
  keeperClient = await testStack.connect();
  reader = await testStack.connect();
  await superuser.query(
    `CREATE SCHEMA shop; CREATE TABLE shop.t AS SELECT g AS a FROM generate_series(1, 1000) AS g`,
  );
});
afterEach(async () => {
  await Promise.all([keeperClient, reader].map((client) => client.end().catch(() => undefined)));
  await other.query('ROLLBACK');
  await superuser.query('DROP SCHEMA IF EXISTS shop, "old shop" CASCADE');
});
afterAll(async () => testStack?.stop());

/** Does something just before the n-th query that is sent from now on. */
function interposed(
  client: pg.Client,
  n: number,
  action: () => Promise<unknown>,
): { client: pg.Client; sent: () => number } {
  let sent = 0;
  const proxy = new Proxy(client, {
    get(target, key) {
      if (key === 'query') {
        return async (...args: Parameters<pg.Client['query']>) => {
          sent += 1;
          if (sent === n) await action();
          return target.query(...args);
        };
      }
      const value: unknown = Reflect.get(target, key);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
  return { client: proxy, sent: () => sent };
}

/** The rows of an export of tables, in pieces, as the keeper has found them. */
async function exported(client: pg.Client, request: SnapshotRequest): Promise<string[]> {
  await using keeper = await SnapshotKeeper.open(client, request);
  const pieces = await keeper.use((on) => planPieces(on, keeper.tables, { pieceBytes: 8192 }));
  for (const query of request.queries ?? []) {
    pieces.push(...(await keeper.use((on) => planQueryPieces(on, query, { pieceBytes: 8192 }))));
  }
  await keeper.join(reader);
  const rows = (await readPieces(reader, pieces)).flat();
  await reader.query('ROLLBACK');
  await keeper.confirm();
  return rows.toSorted();
}

function stateOf(rows: readonly string[], before: readonly string[], after: readonly string[]): string {
  if (rows.join('') === before.join('')) return 'before';
  return rows.join('') === after.join('') ? 'after' : `neither, with ${rows.length} rows`;
}

const NEW_ROWS = 'SELECT g AS a FROM generate_series(2001, 2500) AS g';

/** What others may do to shop.t, or what is read of it, while an export begins. */
interface Change {
  name: string;
  setUp?: string;
  change: string;
  request?: SnapshotRequest;
  outcomes?: string[];
}

const CHANGES: readonly Change[] = [
  { name: 'empties and fills it', change: `BEGIN; TRUNCATE shop.t; INSERT INTO shop.t ${NEW_ROWS}; COMMIT` },
  { name: 'rewrites it', change: 'ALTER TABLE shop.t ALTER a TYPE bigint USING a + 5000' },
  { name: 'packs it', change: 'VACUUM FULL shop.t', outcomes: ['before'] },
  { name: 'replaces it', change: `BEGIN; DROP TABLE shop.t; CREATE TABLE shop.t AS ${NEW_ROWS}; COMMIT` },
  {
    name: 'puts another in its place',
    setUp: `CREATE TABLE shop.next AS ${NEW_ROWS}`,
    change: 'BEGIN; ALTER TABLE shop.t RENAME TO before; ALTER TABLE shop.next RENAME TO t; COMMIT',
  },
  {
    name: 'puts another schema in the place of its own',
    setUp: `DROP SCHEMA IF EXISTS "next shop" CASCADE; CREATE SCHEMA "next shop"; CREATE TABLE "next shop".t AS ${NEW_ROWS}`,
    change: 'BEGIN; ALTER SCHEMA shop RENAME TO "old shop"; ALTER SCHEMA "next shop" RENAME TO shop; COMMIT',
    // A schema is renamed in spite of locks: then nothing may be published.
    outcomes: ['after', 'before', 'snapshot_lost'],
  },
  {
    name: 'refreshes a materialized view',
    setUp: 'CREATE MATERIALIZED VIEW shop.mv AS SELECT a FROM shop.t; INSERT INTO shop.t VALUES (2001)',
    change: 'REFRESH MATERIALIZED VIEW shop.mv',
    request: { tables: ['shop.mv'] },
  },
  {
    name: 'refreshes a materialized view, and changes the table that it is made from',
    setUp: 'CREATE MATERIALIZED VIEW shop.mv AS SELECT a + 10000 FROM shop.t',
    change: 'BEGIN; DELETE FROM shop.t WHERE a > 500; REFRESH MATERIALIZED VIEW shop.mv; COMMIT',
    request: { tables: ['shop.t', 'shop.mv'] },
  },
  {
    name: 'empties and fills the table of a query',
    change: `BEGIN; TRUNCATE shop.t; INSERT INTO shop.t ${NEW_ROWS}; COMMIT`,
    request: { queries: ['SELECT a FROM shop.t'] },
  },
  {
    name: 'empties and fills the table under a view',
    setUp: 'CREATE VIEW shop.v AS SELECT a FROM shop.t',
    change: `BEGIN; TRUNCATE shop.t; INSERT INTO shop.t ${NEW_ROWS}; COMMIT`,
    request: { tables: ['shop.v'] },
  },
  {
    name: 'adds a partition',
    setUp: `
      CREATE TABLE shop.p (a int) PARTITION BY RANGE (a);
      CREATE TABLE shop.p1 PARTITION OF shop.p FOR VALUES FROM (0) TO (1000);
      INSERT INTO shop.p SELECT a FROM shop.t WHERE a < 1000;
      CREATE TABLE shop.p2 AS ${NEW_ROWS}`,
    change: 'ALTER TABLE shop.p ATTACH PARTITION shop.p2 FOR VALUES FROM (2001) TO (3000)',
    request: { tables: ['shop.p'] },
  },
  {
    name: 'takes a partition away',
    setUp: `
      CREATE TABLE shop.p (a int) PARTITION BY RANGE (a);
      CREATE TABLE shop.p1 PARTITION OF shop.p FOR VALUES FROM (0) TO (500);
      CREATE TABLE shop.p2 PARTITION OF shop.p FOR VALUES FROM (500) TO (1000);
      INSERT INTO shop.p SELECT a FROM shop.t WHERE a < 1000`,
    change: 'ALTER TABLE shop.p DETACH PARTITION shop.p2',
    request: { tables: ['shop.p'] },
  },
];

describe('an export sees a table as it was before or after, at whatever moment somebody', () => {
  it.each(CHANGES)('$name', async (test) => {
    const {
      setUp = 'SELECT',
      change,
      request = { tables: ['shop.t'] },
      outcomes = ['after', 'before'],
    } = test;
    const made = `
      DROP SCHEMA IF EXISTS shop, "old shop" CASCADE; CREATE SCHEMA shop;
      CREATE TABLE shop.t AS SELECT g AS a FROM generate_series(1, 1000) AS g`;
    await superuser.query(`${made}; ${setUp}`);
    const before = await exported(keeperClient, request);
    await superuser.query(change);
    const after = await exported(keeperClient, request);
    const seen: string[] = [];
    const refused = new Set<string>();
    for (let n = 1, queries = Infinity; n <= queries; n += 1) {
      await superuser.query(made);
      await superuser.query(setUp);
      const { client, sent } = interposed(keeperClient, n, async () => {
        // In vain once the export has its locks.
        await other.query(change).catch((error: Error) => refused.add(error.message));
        await other.query('ROLLBACK');
      });
      seen.push(
        await exported(client, request).then(
          (rows) => stateOf(rows, before, after),
          (error: unknown) => (error instanceof SluiceError ? error.code : String(error)),
        ),
      );
      await Promise.all([keeperClient, reader].map((session) => session.query('ROLLBACK')));
      queries = sent();
    }
    expect([...refused].filter((message) => !message.includes('lock timeout'))).toEqual([]);
    expect(seen.length).toBeGreaterThan(20);
    expect([...new Set(seen)].toSorted()).toEqual(outcomes);
  });
});

it('tables and queries are seen in one state, by every connection', async () => {
  const query = 'SELECT count(*) FROM shop.t';
  await using keeper = await SnapshotKeeper.open(keeperClient, { tables: ['shop.t'], queries: [query] });
  await superuser.query('INSERT INTO shop.t SELECT 1; DELETE FROM shop.t WHERE a > 500');
  await keeper.join(reader);
  expect(await copiedRows(reader, query)).toEqual(['1000\n']);
  expect(await copiedRows(reader, 'SELECT max(a) FROM ONLY shop.t')).toEqual(['1000\n']);
  expect(keeper.snapshot.isStandby).toBe(false);
  expect(keeper.snapshot.lsn).toMatch(/^[0-9A-F]+\/[0-9A-F]+$/);
  expect(Math.abs(keeper.snapshot.takenAt.getTime() - Date.now())).toBeLessThan(60_000);
  expect(Math.floor(keeper.snapshot.serverVersion / 10_000)).toBe(POSTGRES_MAJOR);
});

it('limits of the server for transactions do not end it, and settings of the session stay', async () => {
  const limits = ['statement_timeout', 'idle_in_transaction_session_timeout', 'lock_timeout'];
  if (POSTGRES_MAJOR >= 17) limits.push('transaction_timeout');
  for (const client of [keeperClient, reader]) {
    for (const limit of limits) await client.query(`SET ${limit} = '300ms'`);
  }
  const settings = async () =>
    (await keeperClient.query(`SELECT name, setting FROM pg_settings ORDER BY name`)).rows as unknown[];
  const before = await settings();
  const keeper = await SnapshotKeeper.open(keeperClient, { tables: ['shop.t'] });
  await keeper.join(reader);
  await delay(1000);
  expect(await copiedRows(reader, 'SELECT pg_sleep(0.5)')).toEqual(['\n']);
  await keeper.confirm();
  await keeper.end();
  await keeper.end();
  expect(await settings()).toEqual(before);
  await expect(keeper.join(reader)).rejects.toMatchObject({ code: 'snapshot_lost' });
});

it('of many tables, the connections that join lock those that they read, and only the keeper all', async () => {
  await superuser.query(`
    DO $$ BEGIN FOR i IN 1..120 LOOP EXECUTE format('CREATE TABLE shop.many_%s (id int PRIMARY KEY)', i); END LOOP; END $$`);
  const locks = async (client: pg.Client) => {
    const { rows } = await client.query<{ count: number }>(`
      SELECT count(*)::int AS count FROM pg_locks AS l JOIN pg_class AS c ON c.oid = l.relation
      WHERE pid = pg_backend_pid() AND relnamespace = 'shop'::regnamespace`);
    return rows[0]?.count;
  };
  await using keeper = await SnapshotKeeper.open(keeperClient, { tables: ['shop.many_*'] });
  await keeper.join(reader);
  expect(await keeper.use(locks)).toBe(120);
  expect(await locks(reader)).toBe(0);
  await reader.query('SELECT FROM ONLY shop.many_7');
  // With its index.
  expect(await locks(reader)).toBe(2);
});

describe('when it is lost', () => {
  const pidOf = async (client: pg.Client) =>
    (await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')).rows[0]?.pid;

  it('says so, to who waits and to who comes later, and others do not join any more', async () => {
    const pid = await pidOf(keeperClient);
    await using keeper = await SnapshotKeeper.open(keeperClient, { tables: ['shop.t'] });
    // Waits until it has ended: it says so a moment before its snapshot is gone.
    await superuser.query('SELECT pg_terminate_backend($1, 5000)', [pid]);
    const loss = {
      code: 'snapshot_lost',
      retryable: true,
      detail: expect.stringContaining('terminating connection'),
    };
    await expect(keeper.lost).rejects.toMatchObject(loss);
    await expect(keeper.confirm()).rejects.toMatchObject(loss);
    await expect(keeper.join(reader)).rejects.toMatchObject(loss);
    await expect(joinSnapshot(reader, keeper.snapshot, { tables: [] })).rejects.toMatchObject({
      code: 'snapshot_lost',
    });
    // The connection can be used for something else.
    expect((await reader.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
  });

  it('at whatever step it begins, or another joins, the error is told, and nothing waits', async () => {
    /** With a kill before the n-th query of one or the other. */
    const attempt = async (killed: { keeper?: number; joiner?: number }) => {
      const [keeping, joining] = [await testStack.connect(), await testStack.connect()];
      const pid = await pidOf(keeping);
      const kill = () => superuser.query('SELECT pg_terminate_backend($1, 5000)', [pid]);
      const keeper = interposed(keeping, killed.keeper ?? 0, kill);
      const joiner = interposed(joining, killed.joiner ?? 0, kill);
      const work = async () => {
        const options = { tables: ['shop.t'], queries: ['SELECT a FROM shop.t'] };
        await using opened = await SnapshotKeeper.open(keeper.client, options);
        await opened.join(joiner.client);
        await opened.confirm();
        return 'well';
      };
      const outcome = await work().catch(() => 'told');
      await Promise.all([keeping, joining].map((client) => client.end().catch(() => undefined)));
      return { outcome, queries: keeper.sent(), joins: joiner.sent() };
    };
    const { outcome, queries, joins } = await attempt({});
    expect([outcome, queries > 20, joins > 1]).toEqual(['well', true, true]);
    const outcomes: string[] = [];
    // The last query ends the transaction, when all has been read.
    for (let n = 1; n < queries; n += 1) outcomes.push((await attempt({ keeper: n })).outcome);
    for (let n = 1; n <= joins; n += 1) outcomes.push((await attempt({ joiner: n })).outcome);
    expect(outcomes.every((each) => each === 'told')).toBe(true);
  });

  it('also while it answers', async () => {
    const pid = await pidOf(keeperClient);
    await using keeper = await SnapshotKeeper.open(keeperClient, { tables: ['shop.t'] });
    const asked = keeper.use((client) => client.query('SELECT pg_sleep(60)'));
    const failed = expect(asked).rejects.toMatchObject({ code: 'snapshot_lost' });
    await delay(100);
    await superuser.query('SELECT pg_terminate_backend($1)', [pid]);
    await failed;
    await expect(keeper.lost).rejects.toMatchObject({ code: 'snapshot_lost' });
  });

  it('an idle connection is used now and then, and told to be lost when that fails', async () => {
    await using keeper = await SnapshotKeeper.open(keeperClient, { tables: ['shop.t'], heartbeatMs: 30 });
    const activity = `SELECT query FROM pg_stat_activity WHERE state = 'idle in transaction' AND query = 'SELECT'`;
    await expect.poll(async () => (await superuser.query(activity)).rowCount, { timeout: 10_000 }).toBe(1);
    await keeper.confirm();
    await expect(keeper.use((client) => client.query('SELECT 1/0'))).rejects.toThrow('division by zero');
    await expect(keeper.lost).rejects.toMatchObject({ code: 'snapshot_lost' });
  });

  it('an id that no transaction has given is told as such', async () => {
    for (const id of ['00000003-0000FFFF-1', `'; DROP TABLE shop.t; --`]) {
      const join = joinSnapshot(reader, { id, serverVersion: POSTGRES_MAJOR * 10_000 }, { tables: [] });
      await expect(join).rejects.toMatchObject({ code: 'snapshot_lost' });
    }
  });
});

describe('behind a session that wants the table for itself', () => {
  it('a connection does not wait for ever: it would, behind one that waits for the export', async () => {
    await using keeper = await SnapshotKeeper.open(keeperClient, { tables: ['shop.t'] });
    await keeper.join(reader);
    const changer = await testStack.connect();
    const change = changer.query('ALTER TABLE shop.t ADD b int');
    const waiting = `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'ALTER TABLE shop.t%'`;
    await expect.poll(async () => (await superuser.query(waiting)).rowCount, { timeout: 10_000 }).toBe(1);
    const late = await testStack.connect();
    await expect(keeper.join(late, { lockTimeoutMs: 50 })).rejects.toMatchObject({
      code: 'table_locked',
      retryable: true,
    });
    // Who has joined before reads on.
    expect((await copiedRows(reader, 'SELECT a FROM ONLY shop.t')).length).toBe(1000);
    await reader.query('ROLLBACK');
    await keeper.end();
    await change;
    await Promise.all([changer.end(), late.end()]);
  });

  it('the export begins when it is done, or says that it could not', async () => {
    await superuser.query('BEGIN; ALTER TABLE shop.t ADD b int DEFAULT 7');
    const impatient = SnapshotKeeper.open(keeperClient, { tables: ['shop.t'], lockTimeoutMs: 50 });
    await expect(impatient).rejects.toMatchObject({ code: 'table_locked', retryable: true });
    const patient = SnapshotKeeper.open(keeperClient, { tables: ['shop.t'] });
    await delay(100);
    await superuser.query('COMMIT');
    await using keeper = await patient;
    expect(keeper.tables[0]?.columns.map(({ name }) => name)).toEqual(['a', 'b']);
  });

  it('an aborted signal is heard between two steps, and leaves no transaction', async () => {
    const steps = new AbortController();
    const { client } = interposed(keeperClient, 5, () => Promise.resolve(steps.abort(new Error('enough'))));
    await expect(SnapshotKeeper.open(client, { tables: ['shop.t'], signal: steps.signal })).rejects.toThrow(
      'enough',
    );
    await keeperClient.query(`SET default_transaction_read_only = off; CREATE TABLE shop.free ()`);
  });
});
