import type { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { hasClient } from '../support/clients.ts';
import { openUploads } from '../support/exported-tables.ts';
import { TestFleet } from '../support/test-fleet.ts';
import { BUCKET, TestStack } from '../support/test-stack.ts';

const SETTLED = { timeout: 30_000, interval: 100 };
/** As long as what the fleet seals, and not sealed by it. */
const FORGED = Buffer.concat([Buffer.of(1), Buffer.alloc(200, 7)]).toString('base64');

let testStack: TestStack;
let fleet: TestFleet;
let redis: Redis;
let prefix: string;
let count = 0;

/** Somebody who can reach Redis, and has not the key. */
describe.skipIf(!hasClient('redis-server'))('a fleet whose Redis is hostile', () => {
  beforeAll(async () => {
    testStack = await TestStack.start();
    const superuser = await testStack.connect();
    await superuser.query(`CREATE TABLE small AS SELECT 'only row' AS text; CREATE TABLE canary (a int)`);
    fleet = await TestFleet.start(testStack);
    await fleet.startWorker();
    redis = fleet.redis.connect();
  });
  afterAll(async () => {
    redis?.disconnect();
    await fleet?.[Symbol.asyncDispose]();
    await testStack?.stop();
  });
  beforeEach(() => {
    count += 1;
    prefix = `hostile-${count}/`;
  });
  afterEach(async () => {
    // The worker is still there, and works.
    const id = await fleet.submit({ prefix: `${prefix}after/`, tables: ['public.small'] });
    expect(await fleet.client.follow(id)).toMatchObject({ rows: 1n });
    await expect.poll(() => openUploads(testStack), SETTLED).toEqual([]);
  });

  const queue = (name: string) => fleet.client.queues().find((each) => each.name === name);

  it('refuses a forged export', async () => {
    const data = { source: 'main', destination: `s3://${BUCKET}/${prefix}`, request: FORGED };
    const job = await queue('exports-main')?.add('export', data, { jobId: `forged-${count}` });
    await expect.poll(() => job?.getState(), SETTLED).toBe('failed');
    expect(fleet.log).toContain('a text in Redis (export) was not sealed by this fleet');
    expect(await testStack.keys(prefix)).toEqual([]);
  });

  it.each(
    [null, 'text', 5, [], {}, { task: 5, piece: 'x', export: {}, attempt: null, source: [] }].map((data) => ({
      data,
    })),
  )('refuses $data in the place of a job', async ({ data }) => {
    await queue('exports-main')?.pause();
    await queue('exports-main')?.add('job', data, { jobId: `waiting-${count}` });
    expect((await fleet.client.list()).some(({ id }) => id === `waiting-${count}`)).toBe(true);
    await queue('exports-main')?.resume();
    for (const name of ['exports-main', 'pieces-main']) {
      const job = await queue(name)?.add('job', data, { jobId: `odd-${count}` });
      await expect.poll(() => job?.getState(), SETTLED).toBe('failed');
    }
  });

  it('refuses the request of another export, of a schedule, and of another source', async () => {
    const id = await fleet.submit({ prefix, tables: ['public.small'] });
    await fleet.client.follow(id);
    const real = await queue('exports-main')?.getJob(id);
    const data: unknown = real?.data;
    for (const jobId of [`other-${count}`, `repeat:nightly:${Date.now()}`]) {
      const job = await queue('exports-main')?.add('export', data, { jobId });
      await expect.poll(() => job?.getState(), SETTLED).toBe('failed');
    }
  });

  it('refuses a forged piece, and the piece of another job', async () => {
    const forged = {
      export: 'x',
      attempt: 'y',
      piece: 0,
      table: 't',
      key: 'k',
      estimatedBytes: 1,
      task: FORGED,
    };
    const job = await queue('pieces-main')?.add('piece', forged, { jobId: 'x.y.0' });
    await expect.poll(() => job?.getState(), SETTLED).toBe('failed');
    expect(fleet.log).toContain('a text in Redis (piece) was not sealed by this fleet');

    await fleet.client.follow(await fleet.submit({ prefix, tables: ['public.small'] }));
    const [done] = (await queue('pieces-main')?.getJobs('completed')) ?? [];
    const moved = { ...(done?.data as typeof forged), piece: 7 };
    const other = await queue('pieces-main')?.add('piece', moved, {
      jobId: `${moved.export}.${moved.attempt}.7`,
    });
    await expect.poll(() => other?.getState(), SETTLED).toBe('failed');
  });

  it('reads a piece again whose result is forged, or whose job is gone', async () => {
    // Nobody takes the piece, so that something else can be put there.
    await queue('pieces-main')?.pause();
    const id = await fleet.submit({ prefix, tables: ['public.small'] });
    const pieces = queue('pieces-main');
    await expect
      .poll(async () => (await pieces?.getJobs(['prioritized', 'waiting']))?.length, SETTLED)
      .toBe(1);
    const [piece] = (await pieces?.getJobs(['prioritized', 'waiting'])) ?? [];
    const key = pieces?.toKey(piece?.id ?? '') ?? '';
    await redis.hset(key, { returnvalue: JSON.stringify(FORGED), finishedOn: String(Date.now()) });
    await expect
      .poll(() => fleet.log, SETTLED)
      .toContain('refused what no worker of this fleet has answered');
    await expect.poll(() => redis.hget(key, 'finishedOn'), SETTLED).toBe(null);
    await piece?.remove();
    await expect.poll(() => fleet.log, SETTLED).toContain('"job":"gone"');
    await pieces?.resume();
    expect(await fleet.client.follow(id)).toMatchObject({ rows: 1n, files: 1 });
  });

  it('leaves forged notes of what is to be cleaned up alone, and the objects that they name', async () => {
    const id = await fleet.submit({ prefix, tables: ['public.small'] });
    await fleet.client.follow(id);
    const before = await testStack.keys(prefix);
    await redis.hset('test:attempts', 'forged', FORGED);
    await redis.hset('test:journal:forged', 'object:forged', FORGED);
    await expect.poll(() => fleet.log, SETTLED).toContain('left a forged attempt alone');
    expect(await testStack.keys(prefix)).toEqual(before);
    await redis.del('test:attempts', 'test:journal:forged');
  });

  it('does not take a forged note for the result of an export', async () => {
    await fleet.client.pause('main');
    const id = await fleet.submit({ prefix, tables: ['public.small'] });
    await redis.set(`test:published:${id}`, FORGED);
    await fleet.client.resume('main');
    expect(await fleet.client.follow(id)).toMatchObject({ rows: 1n, files: 1 });
  });

  it('passes over names of sources that are none', async () => {
    await redis.sadd('test:sources', '../../etc', 'a:b', '\u0000', 'x'.repeat(1_000));
    expect((await fleet.client.list()).length).toBeGreaterThan(0);
    await redis.srem('test:sources', '../../etc', 'a:b', '\u0000', 'x'.repeat(1_000));
  });
});
