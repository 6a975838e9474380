import { setTimeout as delay } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sealResult } from '../../packages/fleet/src/export-job.ts';
import { Seal } from '../../packages/fleet/src/seal.ts';
import { hasClient } from '../support/clients.ts';
import { expectExported, openUploads } from '../support/exported-tables.ts';
import { keeperOf, TestFleet } from '../support/test-fleet.ts';
import { TestStack } from '../support/test-stack.ts';

const TABLES = ['public.large', 'public.other', 'public.empty', 'public.small'];
const SETTLED = { timeout: 30_000, interval: 100 };

let testStack: TestStack;
let superuser: pg.Client;
let fleet: TestFleet;
let prefix: string;
let count = 0;

/** Runs for some seconds, as one piece. */
const SLOW = 'SELECT i, pg_sleep(1) FROM generate_series(1, 3) AS i';

describe.skipIf(!hasClient('redis-server'))('a fleet', () => {
  beforeAll(async () => {
    testStack = await TestStack.start();
    superuser = await testStack.connect();
    await superuser.query(`
      CREATE TABLE large AS SELECT id, repeat(md5(id::text), 3) AS filler FROM generate_series(1, 60000) AS id;
      CREATE TABLE other AS SELECT id, md5(id::text) AS filler FROM generate_series(1, 40000) AS id;
      CREATE TABLE small AS SELECT 'only row' AS text;
      CREATE TABLE empty (a int);
      CREATE VIEW slow AS SELECT i, pg_sleep(1)::text FROM generate_series(1, 3) AS i;
      ANALYZE`);
    fleet = await TestFleet.start(testStack, { worker: 'shutdown_timeout = "500ms"\njobs = 1' });
    await Promise.all([fleet.startWorker(), fleet.startWorker()]);
  });
  afterAll(async () => {
    await fleet?.[Symbol.asyncDispose]();
    await testStack?.stop();
  });
  beforeEach(() => {
    count += 1;
    prefix = `fleet-${count}/`;
  });
  afterEach(async () => {
    await expect.poll(() => openUploads(testStack), SETTLED).toEqual([]);
    await expect
      .poll(async () => {
        const { rows } = await superuser.query(
          `SELECT query FROM pg_stat_activity WHERE application_name = 'sluice'`,
        );
        return rows;
      }, SETTLED)
      .toEqual([]);
  });

  it('exports tables with the workers of two processes, every row once, and says what it has stored', async () => {
    const id = await fleet.submit({ prefix, tables: ['public.*'] });
    const result = await fleet.client.follow(id);
    const manifest = await expectExported(testStack, superuser, { prefix, tables: TABLES });
    expect(manifest.entries.length).toBeGreaterThan(TABLES.length + 3);
    expect(result).toMatchObject({
      files: manifest.entries.length,
      rows: 100_001n,
      manifestUrl: `s3://sample-bucket/${prefix}manifest.json`,
      storedBytes: manifest.entries.reduce((sum, { meta }) => sum + meta.content_length, 0),
    });
    expect(await fleet.client.show(id)).toMatchObject({
      id,
      state: 'done',
      attempts: 1,
      source: 'main',
      result,
    });
    const names = (await fleet.client.workers()).map(({ name }) => name);
    expect(new Set(names).size).toBe(2);
    const pieces = await fleet.client
      .queues()
      .find(({ name }) => name === 'pieces-main')
      ?.getJobs('completed');
    expect(new Set(pieces?.map(({ processedBy }) => processedBy))).toEqual(new Set(names));
  });

  it('exports with options of COPY and compression, as they were asked for', async () => {
    const id = await fleet.submit({
      prefix,
      tables: ['public.large'],
      copyOptions: 'format csv, header true',
      compression: 'gzip',
      manifest: false,
    });
    const { files, rows, bytes, storedBytes } = await fleet.client.follow(id);
    const keys = await testStack.keys(prefix);
    expect(rows).toBe(60_000n);
    expect(keys).toHaveLength(files);
    expect(storedBytes).toBeLessThan(bytes);
    const texts = await Promise.all(
      keys.map(async (key) => gunzipSync(await testStack.object(key)).toString()),
    );
    const lines = texts.flatMap((text) => {
      const [header, ...rest] = text.split('\n').slice(0, -1);
      expect(header).toBe('id,filler');
      return rest;
    });
    const copied = await testStack.copy(superuser, 'SELECT * FROM large', 'format csv');
    expect(
      lines.toSorted().join('\n') === copied.toString().split('\n').slice(0, -1).toSorted().join('\n'),
    ).toBe(true);
  });

  it('never has more sessions than max_connections, however many workers there are', async () => {
    await superuser.query(
      Array.from(
        { length: 8 },
        (_, index) => `CREATE VIEW nap_${index} AS SELECT pg_sleep(0.4)::text AS slept`,
      ).join(';'),
    );
    await using small = await TestFleet.start(testStack, {
      maxConnections: 3,
      maxExports: 1,
      worker: 'jobs = 4',
    });
    await Promise.all([small.startWorker(), small.startWorker()]);
    const over = new AbortController();
    const result = small.client
      .follow(
        await small.submit({
          prefix,
          tables: [0, 1, 2, 3, 4, 5, 6, 7].map((index) => `public.nap_${index}`),
        }),
      )
      .finally(() => over.abort());
    const seen: number[] = [];
    while (!over.signal.aborted) {
      const { rows } = await superuser.query(
        `SELECT 1 FROM pg_stat_activity WHERE application_name = 'sluice' AND backend_type = 'client backend'`,
      );
      seen.push(rows.length);
      await delay(20);
    }
    expect(await result).toMatchObject({ rows: 8n, files: 8 });
    expect(Math.max(...seen)).toBe(3);
  });

  it('fails with the error of PostgreSQL when a table may not be read, and leaves nothing', async () => {
    await superuser.query(`
      CREATE FUNCTION fail(int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN
        IF $1 = 30000 THEN RAISE EXCEPTION 'row % is secret', $1 USING HINT = 'Ask.'; END IF;
        RETURN $1; END $$`);
    const id = await fleet.submit({
      prefix,
      query: 'SELECT fail(id), filler FROM large',
      tables: ['public.other'],
    });
    await expect(fleet.client.follow(id)).rejects.toMatchObject({
      message: 'row 30000 is secret',
      code: 'P0001',
      hint: 'Ask.',
      severity: 'ERROR',
    });
    expect(await fleet.client.show(id)).toMatchObject({
      state: 'failed',
      error: { code: undefined, message: 'row 30000 is secret', hint: 'Ask.' },
    });
    expect(await testStack.keys(prefix)).toEqual([]);
  });

  it('fails at once where the destination is not empty', async () => {
    await fleet.client.follow(await fleet.submit({ prefix, tables: ['public.small'] }));
    await expect(
      fleet.client.follow(await fleet.submit({ prefix, tables: ['public.small'] })),
    ).rejects.toMatchObject({ code: 'destination_exists' });
    await fleet.client.follow(
      await fleet.submit({ prefix, tables: ['public.small'], ifExists: 'overwrite' }),
    );
  });

  it('reads a piece again whose session was terminated', async () => {
    const id = await fleet.submit({ prefix, query: SLOW, tables: ['public.other'] });
    await sessionsSleep(1);
    await superuser.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE application_name = 'sluice' AND query LIKE '%pg_sleep%' AND query LIKE 'COPY%'`);
    expect(await fleet.client.follow(id)).toMatchObject({ rows: 40_003n });
    expect(fleet.log).toContain('terminating connection due to administrator command');
  });

  it('cancels an export that runs, and one that waits', async () => {
    const id = await fleet.submit({ prefix, query: 'SELECT 1, pg_sleep(120)' });
    await sessionsSleep(1);
    expect(await fleet.client.cancel(id)).toBe(true);
    await expect(fleet.client.follow(id)).rejects.toMatchObject({ code: 'export_aborted' });
    await expect.poll(() => fleet.client.show(id), SETTLED).toMatchObject({ state: 'cancelled' });
    expect(await fleet.client.cancel(id)).toBe(false);

    await fleet.client.pause('main');
    const waiting = await fleet.submit({ prefix, tables: ['public.small'] });
    expect(await fleet.client.show(waiting)).toMatchObject({ state: 'waiting' });
    expect(await fleet.client.cancel(waiting)).toBe(true);
    await expect(fleet.client.follow(waiting)).rejects.toMatchObject({ code: 'export_aborted' });
    await fleet.client.resume('main');
    await expect
      .poll(() => fleet.client.show(waiting), SETTLED)
      .toMatchObject({ state: 'cancelled', endedAt: expect.any(Date) });
    expect(await testStack.keys(prefix)).toEqual([]);
  });

  it('begins anew, on another worker, when the one that keeps the snapshot is killed', async () => {
    const id = await fleet.submit({ prefix, query: SLOW, tables: ['public.large'] });
    await sessionsSleep(1);
    await fleet.replace(await keeperOf(fleet, id));
    expect(await fleet.client.follow(id)).toMatchObject({ rows: 60_003n });
    expect(await fleet.client.show(id)).toMatchObject({ attempts: 2 });
    const keys = await testStack.keys(prefix);
    expect(keys.filter((key) => key.includes('/query/'))).toHaveLength(1);
  });

  it('counts a piece once when its worker was stopped and wakes after another has begun to read it', async () => {
    const id = await fleet.submit({ prefix, query: SLOW, tables: ['public.slow'] });
    // Each worker reads one piece at a time.
    await sessionsSleep(2);
    const keeper = await keeperOf(fleet, id);
    const sleeper = fleet.workers.find((worker) => worker !== keeper);
    const { length } = keeper.log;
    sleeper?.child.kill('SIGSTOP');
    const result = fleet.client.follow(id);
    await expect.poll(() => keeper.log.slice(length), SETTLED).toContain('the worker of a job was lost');
    // It is being read twice.
    await sessionsSleep(1);
    sleeper?.child.kill('SIGCONT');
    expect(await result).toMatchObject({ rows: 6n, files: 2 });
    await expectLines(`${prefix}query/`, 3);
    await expectLines(`${prefix}public.slow/`, 3);
  });

  it('begins anew when the session that keeps the snapshot is terminated', async () => {
    const id = await fleet.submit({ prefix, query: SLOW });
    await sessionsSleep(1);
    await superuser.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
      WHERE application_name = 'sluice' AND state = 'idle in transaction'`);
    expect(await fleet.client.follow(id)).toMatchObject({ rows: 3n, files: 1 });
    expect(await fleet.client.show(id)).toMatchObject({ attempts: 2, state: 'done' });
    await expectLines(`${prefix}query/`, 3);
  });

  it('is not begun again when its worker was lost just after it had published', async () => {
    await fleet.client.pause('main');
    const id = await fleet.submit({ prefix, tables: ['public.small'] });
    const result = { files: 7, rows: 8n, bytes: 9, storedBytes: 10, manifestUrl: 's3://sample-bucket/there' };
    const redis = fleet.redis.connect();
    await redis.set(`test:published:${id}`, sealResult(new Seal(fleet.key), id, 'its attempt', result));
    redis.disconnect();
    await fleet.client.resume('main');
    expect(await fleet.client.follow(id)).toEqual(result);
    expect(await testStack.keys(prefix)).toEqual([]);
  });

  it('hands its jobs back when it is stopped, and no attempt is counted', async () => {
    const id = await fleet.submit({
      prefix,
      query: 'SELECT i, pg_sleep(4) FROM generate_series(1, 3) AS i',
      attempts: 0,
    });
    await sessionsSleep(1);
    const keeper = await keeperOf(fleet, id);
    const other = fleet.workers.find((worker) => worker !== keeper);
    keeper.child.kill('SIGTERM');
    await keeper.ended;
    expect(keeper.child.exitCode).toBe(0);
    fleet.workers.splice(fleet.workers.indexOf(keeper), 1);
    await fleet.startWorker();
    expect(await fleet.client.follow(id)).toMatchObject({ rows: 3n });
    expect(other?.child.exitCode).toBe(null);
  });

  it('exports by a schedule, to a path with the time that it was due', async () => {
    const schedule = {
      name: 'each-second',
      cron: '* * * * * *',
      timeZone: 'UTC',
      request: {
        source: 'main',
        bucket: 'sample-bucket',
        prefix: `${prefix}{{date}}-{{time}}/`,
        tables: ['public.small'],
      },
    };
    expect(await fleet.client.applySchedules([schedule])).toMatchObject({
      added: ['each-second'],
      removed: [],
    });
    expect(await fleet.client.schedules()).toMatchObject([
      { name: 'each-second', source: 'main', cron: '* * * * * *', timeZone: 'UTC', next: expect.any(Date) },
    ]);
    const ended = async () =>
      (await fleet.client.list()).filter((each) => each.schedule === 'each-second' && each.state === 'done');
    await expect.poll(async () => (await ended()).length, SETTLED).toBeGreaterThan(1);
    expect(await fleet.client.applySchedules([])).toMatchObject({ added: [], removed: ['each-second'] });
    expect(await fleet.client.schedules()).toEqual([]);
    const [last] = await ended();
    const dueAt = new Date(Number(last?.id.split('@')[1]));
    const [date, time = ''] = dueAt.toISOString().split('T');
    expect(last?.result?.manifestUrl).toBe(
      `s3://sample-bucket/${prefix}${date}-${time.slice(0, 8).replaceAll(':', '')}/manifest.json`,
    );
    expect(last?.destination).toBe(`${last?.result?.manifestUrl?.replace('manifest.json', '')}`);
    // Those that were under way.
    await expect
      .poll(async () => (await fleet.client.list()).filter(({ state }) => state === 'running'), SETTLED)
      .toEqual([]);
  });

  it('shows nothing in Redis that is not a name or a size', async () => {
    const marker = 'only-here-4711';
    const failing = `SELECT 1 / (id - 1) AS "${marker}-column", '${marker}-value' FROM small, generate_series(1, 2) AS id`;
    const done = await fleet.submit({ prefix, query: `SELECT '${marker}-value'`, tables: ['public.small'] });
    await fleet.client.follow(done);
    await expect(
      fleet.client.follow(await fleet.submit({ prefix: `${prefix}failed/`, query: failing })),
    ).rejects.toMatchObject({ message: 'division by zero' });
    const { password } = new URL(testStack.stack.postgres.url);
    const seen = await everythingIn(fleet);
    expect(seen).toContain('public.small');
    for (const secret of [
      marker,
      'only row',
      'division by zero',
      'SELECT',
      'COPY (',
      'postgresql://',
      password,
    ]) {
      expect(seen.includes(secret), secret).toBe(false);
    }
  });
});

/** So many sessions read a row that takes a second. */
async function sessionsSleep(least: number): Promise<void> {
  await expect
    .poll(async () => {
      const { rows } = await superuser.query(
        `SELECT 1 FROM pg_stat_activity WHERE application_name = 'sluice' AND wait_event = 'PgSleep'`,
      );
      return rows.length;
    }, SETTLED)
    .toBeGreaterThanOrEqual(least);
}

async function expectLines(folder: string, lines: number): Promise<void> {
  const files = await Promise.all((await testStack.keys(folder)).map((key) => testStack.object(key)));
  expect(files.join('').split('\n')).toHaveLength(lines + 1);
}

/** All keys and values, of whatever type. */
async function everythingIn({ redis: server }: TestFleet): Promise<string> {
  const redis = server.connect();
  const texts: string[] = [];
  for (const key of await redis.keys('*')) {
    texts.push(key);
    switch (await redis.type(key)) {
      case 'string':
        texts.push((await redis.get(key)) ?? '');
        break;
      case 'hash':
        texts.push(JSON.stringify(await redis.hgetall(key)));
        break;
      case 'list':
        texts.push(JSON.stringify(await redis.lrange(key, 0, -1)));
        break;
      case 'set':
        texts.push(JSON.stringify(await redis.smembers(key)));
        break;
      case 'zset':
        texts.push(JSON.stringify(await redis.zrange(key, '0', '-1')));
        break;
      case 'stream':
        texts.push(JSON.stringify(await redis.xrange(key, '-', '+')));
        break;
      default:
        throw new Error(`${key} is of a type that this test does not read`);
    }
  }
  redis.disconnect();
  return texts.join('\n');
}
