import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FleetClock } from '../../packages/fleet/src/fleet-clock.ts';
import { steadyNow } from '../../packages/sluice/src/steady-clock.ts';
import { hasClient } from '../support/clients.ts';
import { expectExported, openUploads } from '../support/exported-tables.ts';
import { RedisServer } from '../support/redis-server.ts';
import { StallingS3 } from '../support/stalling-s3.ts';
import { keeperOf, TestFleet } from '../support/test-fleet.ts';
import { TestStack } from '../support/test-stack.ts';

const TABLES = ['public.large', 'public.empty', 'public.small'];
const SETTLED = { timeout: 60_000, interval: 100 };

let testStack: TestStack;
let superuser: pg.Client;
let s3: StallingS3;

describe.skipIf(!hasClient('redis-server'))('a fleet', () => {
  beforeAll(async () => {
    s3 = await StallingS3.start();
    testStack = await TestStack.start();
    s3.target = testStack.stack.aws.endpoint;
    superuser = await testStack.connect();
    await superuser.query(`
      CREATE TABLE large AS SELECT id, repeat(md5(id::text), 3) AS filler FROM generate_series(1, 60000) AS id;
      CREATE TABLE small AS SELECT 'only row' AS text;
      CREATE TABLE empty (a int);
      ANALYZE`);
  });
  afterAll(async () => {
    await testStack?.stop();
    await s3?.[Symbol.asyncDispose]();
  });

  it.each([
    ['for a moment: the export goes on', 'moment/', 200],
    ['for longer than a lease lasts: the export is begun anew', 'long/', 5_000],
  ])('whose Redis is killed, and back with what it had, %s', async (_, prefix, awayMs) => {
    await using redis = await RedisServer.start({ isDurable: true });
    await using fleet = await TestFleet.start(testStack, { redis, endpoint: s3.endpoint });
    await Promise.all([fleet.startWorker(), fleet.startWorker()]);
    s3.stall(/^PUT .*public\.large\/part-00002/);
    const id = await fleet.submit({ prefix, tables: ['public.*'] });
    await expect.poll(() => s3.stalled, SETTLED).toBeGreaterThan(0);
    const begun = (await fleet.client.show(id))?.attempts ?? 0;
    await redis.kill();
    await delay(awayMs);
    await redis.startAgain();
    s3.flow();
    expect(await fleet.client.follow(id)).toMatchObject({ rows: 60_001n });
    const attempts = (await fleet.client.show(id))?.attempts ?? 0;
    // A short one may be too long for a busy machine.
    expect(attempts).toBeGreaterThanOrEqual(begun + (prefix === 'long/' ? 1 : 0));
    await expectExported(testStack, superuser, { prefix, tables: TABLES });
    await expect.poll(() => openUploads(testStack), SETTLED).toEqual([]);
  });

  it('whose machines have other clocks agrees on a time', async () => {
    await using redis = await RedisServer.start();
    const connection = redis.connect();
    const clock = await FleetClock.read(connection);
    const [seconds = 0] = await connection.time();
    connection.disconnect();
    expect(Math.abs(clock.toFleet(steadyNow()) - seconds * 1_000)).toBeLessThan(5_000);
    // A machine that is an hour ahead reads what this one has noted.
    const other = new FleetClock(clock.toFleet(0) - 3_600_000);
    const at = steadyNow();
    expect(other.toLocal(clock.toFleet(at))).toBeCloseTo(at + 3_600_000, 3);
  });

  it.each([
    ['before anything is published', 'first/', /^POST .*public\.large\/part-.*uploadId=/],
    ['when some files are published', 'some/', /^POST .*public\.large\/part-00003.*uploadId=/],
    ['when all but the manifest is published', 'manifest/', /^PUT .*manifest\.json/],
  ])('whose keeper is killed %s, publishes what another one has read', async (_, prefix, stalls) => {
    await using fleet = await TestFleet.start(testStack, { endpoint: s3.endpoint });
    await Promise.all([fleet.startWorker(), fleet.startWorker()]);
    s3.stall(stalls);
    const id = await fleet.submit({ prefix, tables: ['public.*'] });
    await expect.poll(() => s3.stalled, SETTLED).toBeGreaterThan(0);
    // In between, rows change: the files must be of one attempt.
    await superuser.query(`UPDATE small SET text = '${prefix}'`);
    await fleet.replace(await keeperOf(fleet, id));
    s3.flow();
    expect(await fleet.client.follow(id)).toMatchObject({ rows: 60_001n });
    await expectExported(testStack, superuser, { prefix, tables: TABLES });
    expect(await fleet.client.show(id)).toMatchObject({ attempts: 2, state: 'done' });
    await expect.poll(() => openUploads(testStack), SETTLED).toEqual([]);
  });

  it('whose keeper is stopped when all but the manifest is published, and wakes when another one has published, leaves that as it is', async () => {
    const prefix = 'woken/';
    await using fleet = await TestFleet.start(testStack, { endpoint: s3.endpoint });
    await Promise.all([fleet.startWorker(), fleet.startWorker()]);
    s3.stall(/^PUT .*manifest\.json/);
    const id = await fleet.submit({ prefix, tables: ['public.*'] });
    await expect.poll(() => s3.stalled, SETTLED).toBeGreaterThan(0);
    const keeper = await keeperOf(fleet, id);
    keeper.child.kill('SIGSTOP');
    s3.flow();
    await superuser.query(`INSERT INTO small VALUES ('another')`);
    expect(await fleet.client.follow(id)).toMatchObject({ rows: 60_002n });
    const published = await testStack.object(`${prefix}manifest.json`);
    keeper.child.kill('SIGCONT');
    await expect.poll(() => keeper.log, SETTLED).toContain('the worker has lost its hold on the export');
    // It would have sent its requests again by now.
    await delay(2_000);
    expect(await testStack.object(`${prefix}manifest.json`)).toEqual(published);
    await expectExported(testStack, superuser, { prefix, tables: TABLES });
    await superuser.query(`DELETE FROM small WHERE text = 'another'`);
    await expect.poll(() => openUploads(testStack), SETTLED).toEqual([]);
  });
});
