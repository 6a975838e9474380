import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, realpath, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { CreateBucketCommand, GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { LocalStack } from '../../packages/local/src/index.ts';
import { allowExports } from '../../packages/local/src/stack/allow-exports.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

const run = promisify(execFile);

const exportOnFleet = ['export', 's3://sample-bucket/a/', '--fleet', 'x', '--source', 'y', '-t', 'z'];

/** The part of --json's output that is used here. */
type Ready = Pick<LocalStack, 'cluster' | 'postgres' | 'aws'>;

/** The environment of an npm user, without the variables of the npm or vitest that runs this test. */
const environment = Object.fromEntries(
  Object.entries(process.env).filter(
    ([name]) => !/^npm_|^NODE_|^AWS_|^INIT_CWD$/.test(name) || name === 'npm_config_cache',
  ),
);

let root: string;
/** The folder into which all packages are installed. Its name has characters that must be quoted. */
let home: string;
/** The one of a database host, or of who exports with one machine: `sluice` alone. */
let small: string;
let packed: string[];

beforeAll(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'sluice-packages-')));
  await chmod(root, 0o755);
  home = join(root, 'my 100% $HOME');
  small = join(root, 'small');
  await mkdir(home);
  await mkdir(small);
  const { stdout } = await run(process.execPath, ['scripts/pack.mjs', join(root, 'packed')], { cwd: ROOT });
  packed = stdout.trim().split('\n');
  await install(home, packed);
  await install(
    small,
    packed.filter((file) => /^sluice-\d/.test(basename(file))),
  );
});
afterAll(() => rm(root, { recursive: true, force: true }));

function install(folder: string, files: readonly string[]) {
  const args = ['install', '--prefer-offline', '--no-audit', '--no-fund', ...files];
  return run('npm', args, { cwd: folder, env: environment });
}

async function sluice(...args: string[]): Promise<string> {
  const { stdout } = await run('npx', ['sluice', ...args], { cwd: home, env: environment });
  return stdout;
}

test('the packages hold the program, the extensions and their licence, and nothing else', async () => {
  const names = await Promise.all(packed.map(async (file) => (await run('tar', ['tzf', file])).stdout));
  const folders = names.map(
    (list) =>
      new Set(
        list
          .trim()
          .split('\n')
          .map((name) => name.replace(/^package\/([^/]+).*$/, '$1')),
      ),
  );
  const common = ['LICENSE', 'README.md', 'dist', 'package.json'];
  expect(folders).toHaveLength(3);
  expect(folders).toContainEqual(new Set(common));
  expect(folders).toContainEqual(new Set([...common, 'bin']));
  expect(folders).toContainEqual(new Set([...common, 'bin', 'extension']));
  expect(names.join('')).not.toMatch(/\.test\.|\.map$|tsbuildinfo|\/src\//m);
  const licence = await readFile(join(ROOT, 'LICENSE'), 'utf8');
  for (const name of ['sluice', '@sluice/local', '@sluice/fleet']) {
    expect(await readFile(join(home, 'node_modules', name, 'LICENSE'), 'utf8')).toBe(licence);
  }
});

test('the installed command knows its version', async () => {
  const manifest = await readFile(join(ROOT, 'packages/sluice/package.json'), 'utf8');
  const { version }: { version: string } = JSON.parse(manifest);
  expect((await sluice('--version')).trim()).toBe(version);
});

test('the package of the fleet brings its commands', async () => {
  expect(await sluice('fleet', '--help')).toMatch(/^Usage: sluice fleet /);
  expect(await sluice('worker', '--help')).toMatch(/^Usage: sluice worker /);
  const bullmq = await readFile(join(home, 'node_modules/bullmq/package.json'), 'utf8');
  expect(JSON.parse(bullmq)).toMatchObject({ version: '6.7.0' });
});

test('who has no fleet installs none of it, and is told how to', async () => {
  const installed = await readdir(join(small, 'node_modules'));
  expect(installed).toContain('sluice');
  for (const name of ['bullmq', 'ioredis', 'hono', '@bull-board']) expect(installed).not.toContain(name);
  for (const args of [['fleet', 'status'], ['worker'], ['local'], exportOnFleet]) {
    const { code, stderr } = await run('npx', ['sluice', ...args], { cwd: small, env: environment }).then(
      () => ({ code: 0, stderr: '' }),
      (error: { code: number; stderr: string }) => error,
    );
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /^sluice: the (?:fleet|local stack) is not installed\nHINT: {2}.* npm install sluice-(?:fleet|local)-\d\S+\.tgz\.\n$/,
    );
  }
});

test('the systemd unit names the installed program and this Node.js', async () => {
  const unit = await sluice('install', '--print-unit');
  const [, node, program] = /^ExecStart="([^"]+)" "([^"]+)" agent /m.exec(unit) ?? [];
  assert(node !== undefined && program !== undefined, unit);
  expect(node).toBe(process.execPath);
  // Unquotes the path like systemd.
  const read = program.replaceAll('%%', '%').replaceAll('$$', () => '$');
  expect(read).toBe(join(home, 'node_modules/sluice/bin/sluice.js'));
  expect((await stat(read)).isFile()).toBe(true);
});

test('the installed local stack exports, and stops with the npm that runs it', async () => {
  const child = spawn('npx', ['sluice', 'local', '--json', '--pg-port', '0', '--aws-port', '0'], {
    cwd: home,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const stderr = text(child.stderr);
  try {
    const lines = createInterface({ input: child.stdout });
    const [line] = await Promise.race([once(lines, 'line'), once(child, 'exit').then(() => [])]);
    assert(line !== undefined, `not started: ${child.exitCode === null ? '' : await stderr}`);
    const ready: Ready = JSON.parse(String(line));
    expect(await exported(ready)).toBe('1\tone\n');
  } finally {
    child.kill('SIGTERM');
  }
  expect(await stderr).toMatch(/: stopped\n$/);
});

/** Exports one row, and reads the object. */
async function exported({ cluster, postgres, aws }: Ready) {
  const { endpoint, region, ...credentials } = aws;
  const s3 = new S3Client({ endpoint, region, forcePathStyle: true, credentials });
  const { host, port, user, password, database: name } = postgres;
  const database = new Client({ host, port, user, password, database: name });
  try {
    await s3.send(new CreateBucketCommand({ Bucket: 'sample-bucket' }));
    await allowExports({ endpoint, region, cluster, credentials, bucket: 'sample-bucket' });
    await database.connect();
    await database.query(`SELECT aws_s3.query_export_to_s3('SELECT 1, ''one''', 'sample-bucket', 'hello')`);
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'sample-bucket', Key: 'hello' }));
    return await Body?.transformToString();
  } finally {
    await database.end();
    s3.destroy();
  }
}
