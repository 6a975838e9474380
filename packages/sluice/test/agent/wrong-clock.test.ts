import { open } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AgentFixture, beginRequest, STATIC_KEYS } from './agent-fixture.ts';
import { AgentProcess } from './agent-process.ts';

const HOUR_MS = 3_600_000;
const LARGE = 11 * 1024 * 1024;

let fixture: AgentFixture;
beforeEach(async () => {
  fixture = await AgentFixture.start({ s3: STATIC_KEYS, export: { part_size: '5MiB' } });
});
afterEach(() => fixture[Symbol.asyncDispose]());

describe('an agent whose clock is wrong', () => {
  it.each([
    ['an hour behind', -HOUR_MS, 4, 'PutObject'],
    ['an hour ahead', HOUR_MS, 4, 'PutObject'],
    ['an hour behind', -HOUR_MS, LARGE, 'CompleteMultipartUpload'],
    ['an hour ahead', HOUR_MS, LARGE, 'CompleteMultipartUpload'],
  ])("(%s) signs by S3's: %s ms, %s bytes", async (_, clockShiftMs, bytes, last) => {
    await using agent = await AgentProcess.start(fixture, { clockShiftMs });
    const connection = await agent.connect();
    const begun = await connection.request(beginRequest());
    const copy = await open(connection.pipePath(begun.pipe), 'w');
    await copy.writeFile(Buffer.alloc(bytes, 'row\n'));
    await copy.close();
    const rows = String(bytes / 4);
    const done = await connection.request({ op: 'commit', token: begun.token?.slice(0, 32), rows });
    await connection.end();
    expect(done).toMatchObject({ state: 'done', bytes });
    const statuses = fixture.s3Requests
      .filter(({ operation }) => operation === last)
      .map(({ status }) => status);
    expect(statuses.at(-1)).toBe(200);
    expect(fixture.s3Requests.some(({ status }) => status === 403)).toBe(true);
  });
});
