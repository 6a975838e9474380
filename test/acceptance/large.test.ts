import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { BUCKET, exportQuery, TestStack } from '../support/test-stack.ts';

const ROWS = 20_000_000;
const QUERY = `SELECT g, md5(g::text), repeat('x', 58) FROM generate_series(1, ${ROWS}) AS g`;
const MAX_RSS_BYTES = 250 * 1000 ** 2;

let testStack: TestStack;
let superuser: pg.Client;

beforeAll(async () => {
  testStack = await TestStack.start();
  superuser = await testStack.connect();
});
afterEach(async () => testStack.expectNothingLeft(superuser));
afterAll(async () => testStack?.stop());

it('a result of 2 GB arrives as COPY writes it, through an agent that stays under 250 MB', async () => {
  const answer = await exportQuery(superuser, QUERY, 'large');
  const peakBytes = await peakRssBytes(testStack.stack.agent.pid);
  expect(answer.rows).toBe(ROWS);
  expect(answer.bytes).toBeGreaterThan(2e9);
  expect(peakBytes).toBeLessThan(MAX_RSS_BYTES);

  const { Body } = await testStack.s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: 'large' }));
  const stored = await sha256(Body as Readable);
  const path = await testStack.copyToFile(superuser, QUERY);
  expect(stored).toBe(await sha256(createReadStream(path)));
  await rm(path);
}, 600_000);

/** The peak memory of a process; Linux records it. */
async function peakRssBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const kib = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
  if (kib === undefined) throw new Error(`no VmHWM for process ${pid}`);
  return Number(kib) * 1024;
}

async function sha256(stream: Readable): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of stream as AsyncIterable<Buffer>) hash.update(chunk);
  return hash.digest('hex');
}
