import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadState } from './state.ts';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-state-test-'));
});

afterEach(() => rm(directory, { recursive: true, force: true }));

test('keys are made once', async () => {
  const state = await loadState(directory);
  expect(state.aws.accessKeyId).toMatch(/^AKIA[A-Z2-7]{16}$/);
  expect(state.rdsService.accessKeyId).not.toBe(state.aws.accessKeyId);
  expect(await loadState(directory)).toEqual(state);
});

test('a state of a version without a key of the service gets one, and keeps it', async () => {
  const old = {
    version: 1,
    postgres: { password: 'p' },
    aws: { accessKeyId: 'AKIAOLD', secretAccessKey: 's' },
  };
  await writeFile(join(directory, 'state.json'), JSON.stringify(old));
  const state = await loadState(directory);
  expect(state).toMatchObject(old);
  expect(JSON.parse(await readFile(join(directory, 'state.json'), 'utf8'))).toEqual(state);
});
