import assert from 'node:assert/strict';
import { spawn, type ChildProcess, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { waitUntil } from '../src/process/wait-until.ts';
import { lifelinesOf, processesNaming } from './left-over.ts';

const WORKSPACE = fileURLToPath(new URL('../../../', import.meta.url));
const PROGRAM = fileURLToPath(new URL('../bin/sluice-local.js', import.meta.url));

const readySchema = z.strictObject({
  pid: z.int(),
  cluster: z.literal('my-db-cluster'),
  postgres: z.strictObject({
    host: z.string(),
    port: z.int(),
    user: z.literal('postgres'),
    password: z.string().min(16),
    database: z.literal('postgres'),
    url: z.string(),
  }),
  aws: z.strictObject({
    endpoint: z.url(),
    region: z.literal('us-west-2'),
    accessKeyId: z.string(),
    secretAccessKey: z.string(),
  }),
});

let root: string;
let dir: string;
let children: ChildProcess[];

beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), 'sluice-test-')));
  await chmod(root, 0o711);
  dir = join(root, 'state');
  children = [];
});
afterEach(async () => {
  for (const child of children) {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  }
  assert(await waitUntil(isGone, { timeoutMs: 20_000, everyMs: 100 }), 'a process is left');
  await rm(root, { recursive: true, force: true });
});

const isGone = async () => (await processesNaming(dir)).length === 0;

function run(...args: string[]) {
  return follow(spawn(process.execPath, [PROGRAM, ...args], { stdio: ['ignore', 'pipe', 'pipe'] }));
}

const READY_ARGS = () => ['--json', '--dir', dir, '--pg-port', '0', '--aws-port', '0'];

/** Runs the command like a user: npm starts a shell, which starts the command. */
function runByNpm(...args: string[]) {
  return follow(
    spawn('npx', ['--no', 'sluice', 'local', ...READY_ARGS(), ...args], {
      cwd: WORKSPACE,
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
  );
}

function follow(child: ChildProcessByStdio<null, Readable, Readable>) {
  children.push(child);
  const stderr = text(child.stderr);
  const status = once(child, 'exit').then(() => child.exitCode);
  return { child, stdout: child.stdout, stderr, status };
}

/** Starts the command with --json, and waits for its line. */
async function runReady(...args: string[]) {
  return untilReady(run(...READY_ARGS(), ...args));
}

async function untilReady(command: ReturnType<typeof follow>) {
  let output = '';
  command.stdout.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')));
  const isReady = () => output.includes('\n') || command.child.exitCode !== null;
  await waitUntil(isReady, { timeoutMs: 60_000, everyMs: 20 });
  if (command.child.exitCode !== null) throw new Error(`not started: ${await command.stderr}`);
  const ready = readySchema.parse(JSON.parse(output));
  return { ...command, ready, output: () => output };
}

async function ask(url: string, sql: string): Promise<unknown> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<unknown[]>({ text: sql, rowMode: 'array' });
    return rows[0]?.[0];
  } finally {
    await client.end();
  }
}

test('--json prints exactly one line, and SIGTERM stops everything with status 0', async () => {
  const { child, ready, status, output } = await runReady();
  expect(ready.pid).toBe(child.pid);
  expect(await ask(ready.postgres.url, 'SELECT 1')).toBe(1);
  const { host, port, user, password, database, url } = ready.postgres;
  expect(url).toBe(`postgresql://${user}:${password}@${host}:${port}/${database}`);
  child.kill('SIGTERM');
  expect(await status).toBe(0);
  expect(output().trimEnd().split('\n')).toHaveLength(1);
  expect(await processesNaming(dir)).toEqual([]);
});

test.each(['SIGINT', 'SIGHUP'] as const)('%s stops everything with status 0', async (signal) => {
  const { child, status } = await runReady();
  child.kill(signal);
  expect(await status).toBe(0);
  expect(await processesNaming(dir)).toEqual([]);
});

test('a signal during the start ends it with status 0 and leaves nothing', async () => {
  const { child, status } = run('--dir', dir, '--pg-port', '0', '--aws-port', '0');
  await waitUntil(() => existsSync(join(dir, 'lock.1')), { timeoutMs: 20_000, everyMs: 10 });
  child.kill('SIGINT');
  expect(await status).toBe(0);
  expect(await processesNaming(dir)).toEqual([]);
});

test('without --json it prints what to type next', async () => {
  const { child, stdout, status } = run('--dir', dir, '--pg-port', '0', '--aws-port', '0');
  let output = '';
  stdout.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')));
  await waitUntil(() => output.includes('Ctrl-C'), { timeoutMs: 60_000, everyMs: 20 });
  expect(output).toMatch(/psql 'postgresql:\/\/postgres:.+@127\.0\.0\.1:\d+\/postgres'/);
  expect(output).toMatch(/export AWS_ENDPOINT_URL=http:\/\/127\.0\.0\.1:\d+/);
  expect(output).toContain('aws s3 mb s3://sample-bucket');
  // The output is not a terminal, so there are no escape sequences.
  expect(output).not.toContain('\u001b');
  child.kill('SIGINT');
  expect(await status).toBe(0);
});

test('a second start on the same directory is refused with the process id of the first', async () => {
  const { child, status } = await runReady();
  const second = run('--dir', dir);
  expect(await second.status).toBe(1);
  expect(await second.stderr).toContain(`process ${child.pid}`);
  child.kill('SIGTERM');
  expect(await status).toBe(0);
});

test('after kill -9 the servers end by themselves, and the next start finds the data', async () => {
  const first = await runReady();
  await ask(first.ready.postgres.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
  first.child.kill('SIGKILL');
  expect(await waitUntil(isGone, { timeoutMs: 20_000, everyMs: 50 })).toBe(true);
  const second = await runReady();
  expect(await ask(second.ready.postgres.url, 'SELECT answer FROM kept')).toBe(42);
  second.child.kill('SIGTERM');
  expect(await second.status).toBe(0);
});

test('servers that outlive even that are stopped by the next start', async () => {
  const first = await runReady();
  const lifelines = await lifelinesOf(dir);
  expect(lifelines.length).toBe(2);
  for (const pid of lifelines) process.kill(pid, 'SIGKILL');
  first.child.kill('SIGKILL');
  await first.status;
  expect((await processesNaming(dir)).length).toBeGreaterThanOrEqual(2);
  const second = await runReady();
  second.child.kill('SIGTERM');
  expect(await second.status).toBe(0);
  expect(await second.stderr).toContain('stopping the PostgreSQL that an earlier run left behind');
  expect(await second.stderr).toContain('stopping the agent that an earlier run left behind');
});

test.each(['SIGTERM', 'SIGKILL'] as const)(
  'npx sluice local stops when its npm ends by %s',
  async (signal) => {
    const { child, stderr, ready } = await untilReady(runByNpm());
    expect(ready.pid).not.toBe(child.pid);
    await ask(ready.postgres.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    child.kill(signal);
    expect(await waitUntil(isGone, { timeoutMs: 20_000, everyMs: 100 })).toBe(true);
    expect(await stderr).toMatch(/stopping, since the npm that ran this has ended\n.*: stopped\n$/);
    expect(await readFile(join(dir, 'logs', 'postgres.log'), 'utf8')).toContain(
      'database system is shut down',
    );
  },
);

test.each([50, 300, 700, 1500])('an npm that is killed %d ms after its start leaves nothing', async (ms) => {
  const { child } = runByNpm();
  await sleep(ms);
  child.kill('SIGKILL');
  await once(child, 'exit');
  // If npm had only just started another command, it would be seen after this time.
  await sleep(1000);
  expect(await waitUntil(isGone, { timeoutMs: 20_000, everyMs: 100 })).toBe(true);
});

test.each([
  ['a shell that has ended does not matter while npm runs', 'npx --no sluice local "$@" &', false],
  ['--outlive-npm: the command goes on', 'npx --no sluice local --outlive-npm "$@" &', true],
])('%s', async (_, script, killNpm) => {
  const shell = follow(
    spawn('/bin/sh', ['-c', script, 'sh', ...READY_ARGS()], {
      cwd: WORKSPACE,
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
  );
  expect(await shell.status).toBe(0);
  let output = '';
  shell.stdout.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')));
  expect(await waitUntil(() => output.includes('\n'), { timeoutMs: 60_000, everyMs: 20 })).toBe(true);
  const ready = readySchema.parse(JSON.parse(output));
  const npm = (await processesNaming(dir)).find(({ commandLine }) => commandLine.startsWith('npm exec'));
  assert(npm !== undefined, 'npm is not seen to run');
  if (killNpm) process.kill(npm.pid, 'SIGTERM');
  await sleep(2000);
  expect(await ask(ready.postgres.url, 'SELECT 1')).toBe(1);
  process.kill(ready.pid, 'SIGTERM');
  expect(await waitUntil(isGone, { timeoutMs: 20_000, everyMs: 100 })).toBe(true);
});

test('a wrong command line ends with status 2 and the help', async () => {
  const wrong = [['--no-such-option'], ['--pg-version', '13'], ['--pg-port', 'many']];
  for (const args of wrong) {
    const { status, stderr } = run(...args);
    expect(await status).toBe(2);
    expect(await stderr).toContain('Usage: sluice-local');
  }
});

test('--help and --version end with status 0', async () => {
  const help = run('--help');
  expect(await text(help.stdout)).toContain('--pg-version');
  expect(await help.status).toBe(0);
  const version = run('--version');
  const manifest = await readFile(new URL('../package.json', import.meta.url), 'utf8');
  expect((await text(version.stdout)).trim()).toBe(
    z.object({ version: z.string() }).parse(JSON.parse(manifest)).version,
  );
  expect(await version.status).toBe(0);
});
