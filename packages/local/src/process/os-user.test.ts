import { chmod, mkdir, mkdtemp, realpath, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { firstClosedDirectory } from './os-user.ts';

const SOMEBODY = { uid: 54321, gid: 54321 };

let root: string;
beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'sluice-test-')));
  await chmod(root, 0o711);
  await mkdir(join(root, 'a', 'b'), { recursive: true });
});
afterEach(() => rm(root, { recursive: true, force: true }));

test('a way of open directories is open, also where it does not exist yet', async () => {
  expect(await firstClosedDirectory(join(root, 'a', 'b'), SOMEBODY)).toBeUndefined();
  expect(await firstClosedDirectory(join(root, 'a', 'none', 'deeper'), SOMEBODY)).toBeUndefined();
});

test('the topmost closed directory is named', async () => {
  await chmod(join(root, 'a'), 0o700);
  expect(await firstClosedDirectory(join(root, 'a', 'b'), SOMEBODY)).toBe(join(root, 'a'));
});

test('a symbolic link into a closed directory is no way round it', async () => {
  await chmod(join(root, 'a'), 0o700);
  await symlink(join(root, 'a', 'b'), join(root, 'link'));
  expect(await firstClosedDirectory(join(root, 'link'), SOMEBODY)).toBe(join(root, 'a'));
});

test('for ourselves no directory is closed', async () => {
  await chmod(join(root, 'a'), 0o700);
  expect(await firstClosedDirectory(join(root, 'a', 'b'), undefined)).toBeUndefined();
});
