import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { lockState } from './lock.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-lock-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

test('a lock that is held is refused, and free again when released', async () => {
  const lock = await lockState(directory);
  await expect(lockState(directory)).rejects.toMatchObject({ code: 'already_running' });
  await lock.release();
  await (await lockState(directory)).release();
  expect(await readdir(directory)).toEqual(['lock.2']);
});

test.each([
  { name: 'a process that is gone', content: '{"pid":999999999}' },
  { name: 'another process with the same id', content: `{"pid":${process.pid},"identity":"another time"}` },
  { name: 'nobody, being empty', content: '' },
])('a lock of $name is taken over', async ({ content }) => {
  await writeFile(join(directory, 'lock.7'), content);
  await lockState(directory);
  expect(await readdir(directory)).toEqual(['lock.8']);
});

test('of many that find a stale lock, one gets it', async () => {
  await writeFile(join(directory, 'lock.1'), '{"pid":999999999}');
  const results = await Promise.allSettled(Array.from({ length: 20 }, () => lockState(directory)));
  expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  expect(await readdir(directory)).toEqual(['lock.2']);
});
