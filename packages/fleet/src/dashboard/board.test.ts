import { appRoutes } from '@bull-board/api/dist/routes.js';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { board } from './board.ts';

/** No Redis is needed to refuse: a command that is sent all the same would wait, and the test with it. */
let redis: Redis;
let queue: Queue;
beforeAll(() => {
  redis = new Redis({ path: '/none/redis.sock', lazyConnect: true, retryStrategy: () => null });
  redis.on('error', () => undefined);
  queue = new Queue('exports-sales', { connection: redis, skipWaitingForReady: true });
  queue.on('error', () => undefined);
});
afterAll(() => {
  redis.disconnect();
});

const changes = appRoutes.api
  .flatMap(({ method, route }) =>
    [method].flat().flatMap((each) => [route].flat().map((path) => ({ method: each.toUpperCase(), path }))),
  )
  .filter(({ method }) => method !== 'GET');

it('knows the requests by which Bull Board changes something', () => {
  expect(changes.length).toBeGreaterThan(15);
});

it.each(changes)('changes nothing: $method $path', async ({ method, path }) => {
  const names = { queueName: 'exports-sales', jobId: '1', queueStatus: 'failed', schedulerId: 'nightly' };
  const url = path.replaceAll(
    /:(\w+)/g,
    (_, name: string) => Object.entries(names).find(([key]) => key === name)?.[1] ?? name,
  );
  const answer = await board([queue]).request(url, {
    method,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      name: 'x',
      data: {},
      options: {},
      jobData: {},
      runAt: Date.now() + 60_000,
      concurrency: 1,
      max: 1,
      duration: 1,
      pattern: '* * * * *',
      priority: 1,
    }),
  });
  // Of all queues, those that may be changed are paused and resumed: none.
  const ofAll = /^\/api\/queues\/(?:pause|resume)$/.test(path);
  expect(answer.status, await answer.text()).toBe(ofAll ? 200 : 405);
});
