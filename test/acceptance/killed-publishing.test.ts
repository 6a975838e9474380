import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type pg from 'pg';
import { StallingS3 } from '../support/stalling-s3.ts';
import { BUCKET, TestStack } from '../support/test-stack.ts';

/** Three files of at most 5 MiB. */
const ROWS = `SELECT repeat('x', 1000) FROM generate_series(1, 11000)`;
const CLEANED_UP = { timeout: 30_000, interval: 200 };

let testStack: TestStack;
let s3: StallingS3;
let session: pg.Client;

beforeAll(async () => {
  s3 = await StallingS3.start();
  testStack = await TestStack.start();
  s3.target = testStack.stack.aws.endpoint;
});
afterAll(async () => {
  await testStack.stop();
  await s3[Symbol.asyncDispose]();
});
afterEach(() => s3.flow());

function exportTo(key: string): Promise<unknown> {
  return session.query('SELECT aws_s3.query_export_to_s3($1, $2, $3)', [ROWS, BUCKET, key]);
}

describe('an agent that is killed while it publishes', () => {
  it.each([
    ['the last file', 'before-any', '_part3', 0],
    ['the first file', 'before-the-first', '', 2],
  ])(
    '%s: the next one removes what is there, and the same session exports again',
    async (_, key, stalls, there) => {
      await testStack.withAgentOf(
        { s3: { endpoint: s3.endpoint }, export: { file_limit: '5MiB', part_size: '5MiB' } },
        async () => {
          session = await testStack.connect();
          s3.stall(new RegExp(`^(?:POST .*/${key}${stalls}\\?uploadId|PUT .*/${key}${stalls}$)`));
          const ended = exportTo(key).catch((error: unknown) => error);
          await expect.poll(() => s3.stalled, CLEANED_UP).toBeGreaterThan(0);
          expect(await testStack.keys(key)).toHaveLength(there);
          const { pid } = testStack.stack.agent;
          process.kill(pid, 'SIGKILL');
          expect(await ended).toMatchObject({ code: '08006' });
          s3.flow();
          await testStack.agentReplaced(pid);
          await expect.poll(() => testStack.keys(key), CLEANED_UP).toEqual([]);
          await testStack.expectNothingLeft(session);
          await exportTo(key);
          expect(await testStack.keys(key)).toEqual([key, `${key}_part2`, `${key}_part3`]);
          await session.end();
        },
      );
    },
  );
});
