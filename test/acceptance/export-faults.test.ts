import { CreateBucketCommand, ListMultipartUploadsCommand } from '@aws-sdk/client-s3';
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { exportTables, isSluiceError, type Manifest } from '../../packages/sluice/src/index.ts';
import { ExportPlan } from '../../packages/sluice/src/outside/export-plan.ts';
import { OwnServer } from '../faults/own-server.ts';
import { runExport, startExport } from '../support/export-command.ts';
import { TcpProxy, type ProxyWatcher } from '../support/tcp-proxy.ts';
import { BUCKET, POSTGRES_MAJOR, TestStack } from '../support/test-stack.ts';

/** `sluice export` while other sessions, the server, the network or settings are against it. */

const ROWS = 60_000;
/** Takes some seconds, and PostgreSQL takes its result for larger than the small tables. */
const SLOW_QUERY = `SELECT n, pg_sleep(0.002)::text, repeat('x', 100) FROM generate_series(1, 1000) AS n`;
const SMALL_FILES = ['--file-size', '1MiB'];

let testStack: TestStack;
let superuser: pg.Client;
let database: string;
/** Where the stack's own was shut down. */
let server: OwnServer | undefined;
let prefix: string;
let count = 0;

beforeAll(async () => {
  testStack = await TestStack.start();
  superuser = await testStack.connect();
  database = testStack.stack.postgres.url;
  await superuser.query(`
    -- A test that fails may leave a lock.
    SET lock_timeout = '20s';
    CREATE TABLE large AS SELECT id, repeat(md5(id::text), 3) AS filler FROM generate_series(1, ${ROWS}) AS id;
    ANALYZE`);
});
afterAll(async () => {
  await testStack?.stop();
  await server?.stop();
});
beforeEach(async () => {
  count += 1;
  prefix = `faults-${count}/`;
  await superuser.query(`
    DROP TABLE IF EXISTS small;
    CREATE TABLE small AS SELECT generate_series(1, 100) AS id`);
});
afterEach(async () => {
  const { Uploads = [] } = await testStack.s3.send(new ListMultipartUploadsCommand({ Bucket: BUCKET }));
  expect(Uploads).toEqual([]);
  await expect.poll(() => sessionsLike('%'), { timeout: 10_000 }).toBe(0);
});

const exportTo = (...args: string[]) =>
  runExport(testStack, [`s3://${BUCKET}/${prefix}`, '-d', database, ...args]);
const startExportTo = (...args: string[]) =>
  startExport(testStack, [`s3://${BUCKET}/${prefix}`, '-d', database, ...args]);

/** Sessions of exports whose query is like that. */
async function sessionsLike(pattern: string): Promise<number> {
  const { rows } = await superuser.query(
    `SELECT FROM pg_stat_activity WHERE application_name = 'sluice' AND query LIKE $1`,
    [pattern],
  );
  return rows.length;
}

async function isReading(): Promise<void> {
  await expect.poll(() => sessionsLike('%COPY%pg_sleep%'), { timeout: 20_000, interval: 10 }).toBe(1);
}

async function manifest(): Promise<Manifest> {
  return JSON.parse((await testStack.object(`${prefix}manifest.json`)).toString()) as Manifest;
}

async function linesOf(folder: string): Promise<string[]> {
  const keys = await testStack.keys(`${prefix}${folder}/`);
  const objects = await Promise.all(keys.map((key) => testStack.object(key)));
  return objects.flatMap((object) => object.toString().split('\n').slice(0, -1));
}

function urlOf(role: { name: string; password: string }): string {
  const url = new URL(database);
  url.username = role.name;
  url.password = role.password;
  return url.href;
}

describe('a table that another session is about to', () => {
  it.each([
    ['drop', 'DROP TABLE small', null],
    ['alter', 'ALTER TABLE small ADD COLUMN more int DEFAULT 7', 100],
    ['rewrite', 'ALTER TABLE small ALTER COLUMN id TYPE text', 100],
    ['empty', 'TRUNCATE small', 0],
  ])('%s: is exported as it was, then the other goes on', async (_, change, rowsAfter) => {
    // One session: the table is read after the query.
    const { finished } = startExportTo('-q', SLOW_QUERY, '-t', 'small', '-j', '1');
    await isReading();
    const other = await testStack.connect();
    const changed = other.query(change);
    await expect
      .poll(
        async () => {
          const waiting = await superuser.query(
            `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query = $1`,
            [change],
          );
          return waiting.rowCount;
        },
        { timeout: 10_000 },
      )
      .toBe(1);
    const { status, stderr } = await finished;
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(await linesOf('public.small')).toEqual(Array.from({ length: 100 }, (__, n) => String(n + 1)));
    await changed;
    await other.end();
    const left = await superuser.query('SELECT FROM small').then(
      ({ rowCount }) => rowCount,
      () => null,
    );
    expect(left).toBe(rowsAfter);
  });
});

describe('says what to do, and leaves nothing,', () => {
  afterEach(async () => {
    expect(await testStack.keys(prefix)).toEqual([]);
  });

  it('when a table may not be read', async () => {
    const role = await testStack.createRole(superuser, { mayExport: false });
    const args = ['-t', 'small', '-t', 'large', '-q', 'SELECT 1'];
    const denied = await exportTo('-d', urlOf(role), ...args);
    expect(denied.stderr).toMatch(
      /^sluice: 2 tables of the export cannot be read\nDETAIL: .*\nHINT: {2}GRANT/,
    );
    expect(denied.status).toBe(1);
    const query = await exportTo('-d', urlOf(role), '-q', 'SELECT * FROM small');
    expect(query.stderr).toMatch(/^sluice: permission denied for (?:table|relation) small\n/);
    expect(query.status).toBe(1);
  });

  it('when the password is wrong', async () => {
    const role = await testStack.createRole(superuser, { mayExport: false });
    await superuser.query(`ALTER ROLE ${role.name} PASSWORD 'another'`);
    const { status, stderr } = await exportTo('-d', urlOf(role), '-t', 'small');
    expect(stderr).toMatch(
      /^sluice: could not connect to database "postgres" .*\nDETAIL: {2}password authentication failed for user "\w+"\.\nHINT: .*PGPASSWORD/,
    );
    expect(stderr).not.toContain(role.password);
    expect(status).toBe(1);
  });

  it.each([
    ['tables', ['-t', 'small']],
    ['a query', ['-q', 'SELECT 1']],
    ['a query, to replace what is there', ['-q', 'SELECT 1', '--if-exists', 'overwrite']],
    ['tables, with --dry-run', ['-t', 'small', '--dry-run']],
  ])('when the bucket is in another Region: %s', async (_, args) => {
    const elsewhere = 'elsewhere-bucket';
    await testStack.s3
      .send(
        new CreateBucketCommand({
          Bucket: elsewhere,
          CreateBucketConfiguration: { LocationConstraint: 'eu-central-1' },
        }),
      )
      .catch((error: unknown) => {
        // Of the test before.
        if (!(error instanceof Error) || error.name !== 'BucketAlreadyOwnedByYou') throw error;
      });
    const path = args.includes('-t') ? 'here/' : 'here.txt';
    const { status, stderr, stdout } = await runExport(testStack, [
      `s3://${elsewhere}/${path}`,
      '-d',
      database,
      ...args,
    ]);
    expect(stderr).toMatch(/is in the Region eu-central-1, not us-west-2/);
    expect(stdout).toBe('');
    expect(status).toBe(1);
  });
});

describe('limits that the role, or the database, has for its sessions', () => {
  const LIMITS = [
    `statement_timeout = '300ms'`,
    `idle_in_transaction_session_timeout = '300ms'`,
    `idle_session_timeout = '1s'`,
    ...(POSTGRES_MAJOR >= 17 ? [`transaction_timeout = '300ms'`] : []),
  ];
  it.each([
    ['a query', ['-q', SLOW_QUERY], 'query.txt'],
    // The sessions that keep the snapshot, and that read, wait for each other.
    ['tables', ['-t', 'small', '-t', 'slow', '-j', '1'], ''],
  ])('do not end the export of %s', async (_, args, path) => {
    const role = await testStack.createRole(superuser, { mayExport: false });
    await superuser.query(`
      CREATE OR REPLACE VIEW slow AS ${SLOW_QUERY};
      GRANT SELECT ON small, slow TO ${role.name};
      ${LIMITS.map((limit) => `ALTER ROLE ${role.name} SET ${limit};`).join('\n')}`);
    const uri = `s3://${BUCKET}/${prefix}${path}`;
    const { status, stderr } = await runExport(testStack, [uri, '-d', urlOf(role), ...args]);
    expect(stderr).toBe('');
    expect(status).toBe(0);
  });
});

it('a session that is terminated: its piece is read again on the same snapshot, and counted once', async () => {
  const { finished } = startExportTo('-q', SLOW_QUERY, '-t', 'small', '-j', '1', '--json');
  await isReading();
  await superuser.query('DELETE FROM small WHERE id > 3');
  await superuser.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'sluice' AND query LIKE '%COPY%pg_sleep%'`,
  );
  const { status, stdout } = await finished;
  const events = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { event: string; rows?: number; key?: string });
  expect(events.filter(({ event }) => event === 'retry')).toMatchObject([
    { key: `${prefix}query/part-00000.txt` },
  ]);
  expect(events.at(-1)).toMatchObject({ event: 'done', rows: 1_100 });
  expect(status).toBe(0);
  expect(await linesOf('public.small')).toHaveLength(100);
  expect(await linesOf('query')).toHaveLength(1_000);
  expect((await manifest()).tables.map(({ record_count }) => record_count)).toEqual([100, 1_000]);
});

describe('a connection that breaks', () => {
  async function exportThrough(watch: ProxyWatcher, args: string[]) {
    await using proxy = await TcpProxy.start(database, watch);
    return await exportTo('-d', proxy.url, ...args);
  }

  it('while it reads a piece: the piece is read again', async () => {
    let cuts = 0;
    const { status, stderr } = await exportThrough(
      (connection) => {
        if (connection.index === 0 || connection.receivedBytes < 1_500_000 || cuts > 0) return;
        cuts += 1;
        connection.cut();
      },
      ['-t', 'large', '-j', '2', ...SMALL_FILES],
    );
    expect(stderr).toMatch(/^faults-\d+\/public\.large\/part-0000\d\.txt is read again: .*\n$/);
    expect(status).toBe(0);
    const lines = await linesOf('public.large');
    expect(new Set(lines.map((line) => line.split('\t')[0])).size).toBe(ROWS);
    expect(lines).toHaveLength(ROWS);
  });

  it('every time a piece is read: the export fails, and leaves nothing', async () => {
    const { status, stderr } = await exportThrough(
      (connection) => {
        if (connection.index > 0 && connection.receivedBytes > 100_000) connection.cut();
      },
      ['-t', 'large', '-j', '1'],
    );
    expect(stderr.match(/ is read again: /g)).toHaveLength(2);
    expect(stderr).toMatch(/\nsluice: the connection to PostgreSQL was lost\nDETAIL: .*\nHINT: /);
    expect(status).toBe(1);
    expect(await testStack.keys(prefix)).toEqual([]);
  });

  it('while it reads the one query: the export fails, and leaves nothing', async () => {
    await using proxy = await TcpProxy.start(database, (connection) => {
      if (connection.receivedBytes > 100_000) connection.cut();
    });
    const args = [`s3://${BUCKET}/${prefix}q.txt`, '-d', proxy.url, '-q', 'TABLE large'];
    const { status, stderr } = await runExport(testStack, args);
    expect(stderr).toMatch(/^sluice: the connection to PostgreSQL was lost\n/);
    expect(status).toBe(1);
    expect(await testStack.keys(prefix)).toEqual([]);
  });

  /** @returns how many chunks each connection sent, and what came of the export */
  async function exportWithCut(cut: { index: number; atChunk: number }) {
    const sent: number[] = [];
    await using proxy = await TcpProxy.start(database, (connection) => {
      sent[connection.index] = connection.sentChunks;
      if (connection.index === cut.index && connection.sentChunks === cut.atChunk) connection.cut();
    });
    const exporting = exportTables({
      database: proxy.url,
      tables: ['small'],
      connection: testStack.s3Connection,
      bucket: BUCKET,
      prefix: `${prefix}${cut.index}-${cut.atChunk}/`,
      jobs: 1,
    });
    const outcome = await exporting.then(
      ({ rows }) => rows,
      (error: unknown) => error,
    );
    return { sent, outcome };
  }

  it('at whatever step the snapshot is kept: the error says so, and nothing is left', async () => {
    const { sent, outcome } = await exportWithCut({ index: 0, atChunk: 0 });
    expect(outcome).toBe(100n);
    const [steps = 0] = sent;
    expect(steps).toBeGreaterThan(20);
    const outcomes: string[] = [];
    // At the last ones the transaction is ended, when all is done.
    for (let atChunk = 1; atChunk < steps - 1; atChunk += 1) {
      const failed = await exportWithCut({ index: 0, atChunk });
      outcomes.push(isSluiceError(failed.outcome) ? failed.outcome.code : String(failed.outcome));
    }
    expect(new Set(outcomes)).toEqual(new Set(['database_unavailable', 'snapshot_lost']));
    expect(await testStack.keys(prefix)).toEqual([
      `${prefix}0-0/manifest.json`,
      `${prefix}0-0/public.small/part-00000.txt`,
    ]);
  });

  it('at whatever step a session joins or reads: another one does', async () => {
    const { sent } = await exportWithCut({ index: 1, atChunk: 0 });
    const steps = sent[1] ?? 0;
    expect(steps).toBeGreaterThan(5);
    const outcomes: unknown[] = [];
    for (let atChunk = 1; atChunk <= steps; atChunk += 1) {
      outcomes.push((await exportWithCut({ index: 1, atChunk })).outcome);
    }
    expect(new Set(outcomes)).toEqual(new Set([100n]));
  });
});

describe('while a lock is waited for', () => {
  const waits = async (application: string) =>
    expect
      .poll(
        async () => {
          const { rowCount } = await superuser.query(
            `SELECT FROM pg_stat_activity WHERE application_name = $1 AND wait_event_type = 'Lock'`,
            [application],
          );
          return rowCount;
        },
        { timeout: 20_000 },
      )
      .toBe(1);

  it('an interruption is heard', async () => {
    const locker = await testStack.connect();
    await locker.query('BEGIN; LOCK TABLE small');
    const { child, finished } = startExportTo('-t', 'small');
    await waits('sluice');
    const interruptedAt = performance.now();
    child.kill('SIGINT');
    const { status, stderr } = await finished;
    expect(stderr).toBe('sluice: the export was interrupted\n');
    expect(status).toBe(130);
    // The lock would be waited for for a minute.
    expect(performance.now() - interruptedAt).toBeLessThan(30_000);
    await locker.end();
  });

  it('a session that joins hears its signal', async () => {
    await using plan = await ExportPlan.open({
      database,
      tables: ['small'],
      connection: testStack.s3Connection,
      bucket: BUCKET,
      prefix,
    });
    const changer = await testStack.connect();
    await changer.query(`SET application_name = 'changer'`);
    const changed = changer.query('ALTER TABLE small ADD COLUMN more int');
    await waits('changer');
    const abortion = new AbortController();
    const joined = plan.connect(abortion.signal);
    joined.catch(() => undefined);
    await waits('sluice');
    abortion.abort(new Error('enough'));
    await expect(joined).rejects.toThrow('enough');
    await plan[Symbol.asyncDispose]();
    await changed;
    await changer.end();
  });
});

it('a server that is restarted in the middle: the export fails and leaves nothing, and the next one succeeds', async () => {
  server = await OwnServer.of(testStack);
  const { finished } = startExportTo('-q', SLOW_QUERY, '-t', 'small', '-t', 'large', ...SMALL_FILES);
  await isReading();
  // An immediate shutdown.
  process.kill(await server.postmasterPid(), 'SIGQUIT');
  await server.ended();
  const { status, stderr } = await finished;
  expect(stderr).toMatch(/^sluice: the transaction that keeps the snapshot of the export has ended\n/m);
  expect(status).toBe(1);
  expect(await testStack.keys(prefix)).toEqual([]);
  await server.restart();
  await server.isUp();
  superuser = await testStack.connect();
  expect((await exportTo('-t', 'small', '-t', 'large')).status).toBe(0);
});
