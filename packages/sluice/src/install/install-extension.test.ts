import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { cannotWrite, installExtension } from './install-extension.ts';
import { findShareDirectory } from './share-directory.ts';

const SOURCE = new URL('../../extension/', import.meta.url);

const byName = (a: string, b: string) => a.localeCompare(b);

let shareDirectory: string;
beforeEach(async () => {
  shareDirectory = await mkdtemp(join(tmpdir(), 'sluice-share-'));
});
afterEach(() => rm(shareDirectory, { recursive: true, force: true }));

test('every control and SQL file is copied, readable by the server, and nothing else is left', async () => {
  await mkdir(join(shareDirectory, 'extension'));
  const { files, directory, hasDblink } = await installExtension({ shareDirectory });
  expect(files).toEqual(
    expect.arrayContaining([
      'aws_s3.control',
      'aws_s3--1.2.1.sql',
      'aws_s3--1.2--1.2.1.sql',
      'aws_commons.control',
    ]),
  );
  expect((await readdir(directory)).toSorted(byName)).toEqual(files.toSorted(byName));
  expect(await readFile(join(directory, 'aws_s3.control'))).toEqual(
    await readFile(new URL('aws_s3.control', SOURCE)),
  );
  expect((await stat(join(directory, 'aws_s3.control'))).mode & 0o777).toBe(0o644);
  expect(hasDblink).toBe(false);
});

test('an older file is replaced', async () => {
  await mkdir(join(shareDirectory, 'extension'));
  await writeFile(join(shareDirectory, 'extension', 'aws_s3.control'), 'old');
  await installExtension({ shareDirectory });
  expect(await readFile(join(shareDirectory, 'extension', 'aws_s3.control'), 'utf8')).not.toBe('old');
});

test('a dry run copies nothing', async () => {
  await mkdir(join(shareDirectory, 'extension'));
  const { files } = await installExtension({ shareDirectory, dryRun: true });
  expect(files.length).toBeGreaterThan(3);
  expect(await readdir(join(shareDirectory, 'extension'))).toEqual([]);
});

test('a directory without a server is named in the error', async () => {
  await expect(installExtension({ shareDirectory })).rejects.toMatchObject({
    code: 'invalid_argument',
    message: `there is no directory ${shareDirectory}/extension`,
  });
});

// CI runs as root, who may write anywhere, so the errors of the operating system are simulated.
test.each([
  ['EACCES', 'sudo'],
  ['EPERM', 'sudo'],
  ['ENOSPC', 'full'],
  ['EROFS', 'read-only'],
])('a directory that cannot be written to for %s: the hint speaks of %s', (code, word) => {
  const cause = Object.assign(new Error(`${code}: no`), { code });
  expect(cannotWrite('/share/extension/aws_s3.control', cause)).toMatchObject({
    message: 'could not write /share/extension/aws_s3.control',
    hint: expect.stringContaining(word) as unknown,
  });
});

test('a missing pg_config tells how to name it', async () => {
  await expect(findShareDirectory('/nowhere/pg_config')).rejects.toMatchObject({
    message: 'could not run /nowhere/pg_config',
    hint: expect.stringContaining('--pg-config') as unknown,
  });
});
