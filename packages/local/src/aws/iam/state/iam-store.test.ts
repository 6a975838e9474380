import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ensureAdministrator } from '../administrator.ts';
import { IamStore } from './iam-store.ts';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'sluice-iam-store-'));
});

afterEach(async () => {
  await chmod(directory, 0o700);
  await rm(directory, { recursive: true, force: true });
});

const key = { accessKeyId: 'AKIA1', secretAccessKey: 's' };

test('a change is on disk when it is done, for our eyes only', async () => {
  const store = await IamStore.open(directory);
  await store.update((state) => ensureAdministrator(state, key));
  const again = await IamStore.open(directory);
  expect(again.state).toEqual(store.state);
  expect(again.state.users).toHaveLength(1);
  expect((await stat(path.join(directory, 'iam.json'))).mode & 0o777).toBe(0o600);
});

test('a change that fails changes nothing, and the next is done', async () => {
  const store = await IamStore.open(directory);
  const failing = store.update((state) => {
    ensureAdministrator(state, key);
    throw new Error('refused');
  });
  const next = store.update((state) => state.users.length);
  await expect(failing).rejects.toThrow('refused');
  expect(await next).toBe(0);
  expect(store.state.users).toEqual([]);
});

test('changes that are asked for at once are all done', async () => {
  const store = await IamStore.open(directory);
  const numbers = Array.from({ length: 20 }, (_, index) => index);
  await Promise.all(
    numbers.map((index) =>
      store.update((state) => {
        ensureAdministrator(state, { ...key, accessKeyId: `AKIA${index}` });
      }),
    ),
  );
  const again = await IamStore.open(directory);
  expect(again.state.users[0]?.accessKeys).toHaveLength(numbers.length);
});

test('a file that is something else is left alone', async () => {
  const file = path.join(directory, 'iam.json');
  await writeFile(file, '{"version": 7}');
  await expect(IamStore.open(directory)).rejects.toMatchObject({ code: 'directory_unusable' });
  expect(await readFile(file, 'utf8')).toBe('{"version": 7}');
});
