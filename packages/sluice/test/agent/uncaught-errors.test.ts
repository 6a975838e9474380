import { existsSync } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AgentFixture, beginRequest, STATIC_KEYS } from './agent-fixture.ts';
import { AgentProcess } from './agent-process.ts';

const PART_BYTES = 5 * 1024 * 1024;

let fixture: AgentFixture;
beforeEach(async () => {
  fixture = await AgentFixture.start({
    s3: STATIC_KEYS,
    export: { part_size: '5MiB' },
    // A normal stop would wait this long; after an uncaught error the agent must not.
    agent: { shutdown_timeout: '600s' },
  });
});
afterEach(() => fixture[Symbol.asyncDispose]());

const operations = (name: string) => fixture.s3Requests.filter(({ operation }) => operation === name);

describe('an agent that meets an error which nobody handles', () => {
  it.each(['exception', 'rejection'] as const)(
    '(%s) logs it, aborts the uploads, and ends with a failure',
    async (fault) => {
      await using agent = await AgentProcess.start(fixture, { fault });
      const connection = await agent.connect();
      const { pipe } = await connection.request(beginRequest());
      const copy = await open(connection.pipePath(pipe), 'w');
      await copy.write(Buffer.alloc(PART_BYTES + 64 * 1024, 'x\n'));
      await vi.waitFor(() => expect(operations('UploadPart')).toHaveLength(1), 10_000);
      agent.kill('SIGUSR2');
      const { status, output } = await agent.ended();
      await copy.close();
      expect(status).toBe(1);
      const lines = output
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { level: number; msg: string; err?: { message: string } });
      expect(lines).toContainEqual(
        expect.objectContaining({
          level: 60,
          err: expect.objectContaining({ message: 'a bug that nobody handles' }) as unknown,
        }),
      );
      expect(lines.at(-1)?.msg).toBe('agent stopped');
      expect(operations('AbortMultipartUpload')).toMatchObject([{ status: 204 }]);
      expect(await readdir(join(agent.directory, 'run', 'pipes'))).toEqual([]);
    },
  );

  it('is over in a bounded time where S3 does not answer', async () => {
    await using agent = await AgentProcess.start(fixture);
    const connection = await agent.connect();
    const { pipe } = await connection.request(beginRequest());
    const copy = await open(connection.pipePath(pipe), 'w');
    await copy.write(Buffer.alloc(PART_BYTES + 64 * 1024, 'x\n'));
    await vi.waitFor(() => expect(operations('UploadPart')).toHaveLength(1), 10_000);
    fixture.stalled.add('s3:AbortMultipartUpload');
    agent.kill('SIGUSR2');
    expect(await agent.ended()).toMatchObject({ status: 1 });
    fixture.stalled.clear();
    await copy.close();
  }, 40_000);
});

// A Linux device on which every write fails as on a full disk.
it.runIf(existsSync('/dev/full'))('an agent whose log cannot be written exports all the same', async () => {
  await using full = await open('/dev/full', 'w');
  await using agent = await AgentProcess.start(fixture, { log: full.fd });
  const connection = await agent.connect();
  const { pipe, token } = await connection.request(beginRequest());
  const copy = await open(connection.pipePath(pipe), 'w');
  await copy.writeFile('row\n');
  await copy.close();
  const commit = { op: 'commit', token: token?.slice(0, 32), rows: '1' };
  expect(await connection.request(commit)).toMatchObject({ state: 'done', bytes: 4 });
  await connection.end();
  agent.kill('SIGTERM');
  expect(await agent.ended()).toMatchObject({ status: 0 });
});
