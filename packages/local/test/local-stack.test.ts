import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, symlink, unlink } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DescribeDBClustersCommand, DescribeDBInstancesCommand, RDSClient } from '@aws-sdk/client-rds';
import { Client } from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { startLocal, type LocalOptions, type LocalStack } from '../src/index.ts';
import { findFreePort } from '../src/ports.ts';
import { waitUntil } from '../src/process/wait-until.ts';
import { processesNaming } from './left-over.ts';

let root: string;
let dir: string;
let started: LocalStack[];
let lines: string[];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'sluice-test-'));
  await chmod(root, 0o711);
  dir = join(root, 'state');
  started = [];
  lines = [];
});
afterEach(async () => {
  await Promise.all(started.map((stack) => stack.stop()));
  for (const stack of started) {
    assert(!existsSync(dirname(stack.agent.socketDirectory)), 'a run directory is left');
    const isGone = async () => (await processesNaming(stack.directory)).length === 0;
    assert(await waitUntil(isGone, { timeoutMs: 5000, everyMs: 50 }), 'a process is left');
  }
  await rm(root, { recursive: true, force: true });
});

async function start(options: LocalOptions = {}): Promise<LocalStack> {
  const stack = await startLocal({ durable: false, log: (line) => lines.push(line), ...options });
  started.push(stack);
  return stack;
}

function rdsClient({ aws: { endpoint, region, ...credentials } }: LocalStack) {
  const client = new RDSClient({ endpoint, region, credentials });
  return { client, [Symbol.dispose]: () => client.destroy() };
}

async function ask(stack: LocalStack, sql: string): Promise<unknown> {
  const client = new Client({ connectionString: stack.postgres.url });
  await client.connect();
  try {
    const { rows } = await client.query<unknown[]>({ text: sql, rowMode: 'array' });
    return rows[0]?.[0];
  } finally {
    await client.end();
  }
}

test('a stack without a directory has everything, and leaves nothing behind', async () => {
  const stack = await start();
  expect(stack.cluster).toBe('my-db-cluster');
  expect(await ask(stack, "SELECT extversion FROM pg_extension WHERE extname = 'aws_s3'")).toBe('1.2.1');
  expect((await fetch(stack.aws.endpoint)).status).toBeGreaterThan(0);
  expect(statSync(join(stack.directory, 'sluice.toml')).mode & 0o777).toBe(0o600);
  expect(statSync(join(stack.directory, 'state.json')).mode & 0o777).toBe(0o600);
  await stack.stop();
  await stack.stop();
  expect(existsSync(stack.directory)).toBe(false);
});

test("the RDS API shows PostgreSQL's own host, port and version", async () => {
  const stack = await start();
  const { host, port } = stack.postgres;
  using rds = rdsClient(stack);
  const { DBClusters } = await rds.client.send(new DescribeDBClustersCommand());
  expect(DBClusters).toMatchObject([{ Endpoint: host, Port: port, EngineVersion: '18' }]);
  const { DBInstances } = await rds.client.send(new DescribeDBInstancesCommand());
  expect(DBInstances).toMatchObject([{ Endpoint: { Address: host, Port: port } }]);
});

test('a port that another program takes during the start is not the one that is shown', async () => {
  const pgPort = await findFreePort();
  const starting = start({ dir, pgPort });
  const isChosen = () => existsSync(join(dir, 'sluice.toml'));
  expect(await waitUntil(isChosen, { timeoutMs: 20_000, everyMs: 5 })).toBe(true);
  const other = createServer().listen(pgPort, '127.0.0.1');
  await once(other, 'listening');
  try {
    const stack = await starting;
    expect(stack.postgres.port).not.toBe(pgPort);
    using rds = rdsClient(stack);
    const { DBClusters } = await rds.client.send(new DescribeDBClustersCommand());
    expect(DBClusters).toMatchObject([{ Port: stack.postgres.port }]);
  } finally {
    other.close();
  }
});

test('data, keys and passwords survive a restart', async () => {
  const first = await start({ dir });
  await ask(first, 'CREATE TABLE kept AS SELECT 42 AS answer');
  await first.stop();
  const second = await start({ dir });
  expect(await ask(second, 'SELECT answer FROM kept')).toBe(42);
  expect(second.postgres.password).toBe(first.postgres.password);
  expect(second.aws.accessKeyId).toBe(first.aws.accessKeyId);
  expect(second.aws.secretAccessKey).toBe(first.aws.secretAccessKey);
});

test('the extension is pointed at the agent again when the socket directory has moved', async () => {
  const first = await start({ dir });
  await ask(first, "ALTER SERVER sluice_agent OPTIONS (SET host '/elsewhere')");
  await first.stop();
  const second = await start({ dir });
  const options = "SELECT srvoptions::text FROM pg_foreign_server WHERE srvname = 'sluice_agent'";
  expect(await ask(second, options)).toContain(second.agent.socketDirectory);
});

test('where the preferred ports are taken, free ones are used and said', async () => {
  const busy = createServer().listen(0, '127.0.0.1');
  await once(busy, 'listening');
  try {
    const address = busy.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const stack = await start({ pgPort: port, awsPort: port });
    expect(stack.postgres.port).not.toBe(port);
    expect(lines).toContainEqual(`port ${port} is taken, so PostgreSQL listens on ${stack.postgres.port}`);
    expect(lines).toContainEqual(
      expect.stringMatching(`^port ${port} is taken, so the local AWS listens on `),
    );
  } finally {
    busy.close();
  }
});

test('a second stack on the same directory is refused, and names the first', async () => {
  await start({ dir });
  await expect(start({ dir })).rejects.toMatchObject({
    code: 'already_running',
    message: expect.stringContaining(`process ${process.pid}`) as unknown,
  });
  expect(started).toHaveLength(1);
});

test('stacks run side by side', async () => {
  const stacks = await Promise.all([start(), start()]);
  const ports = stacks.flatMap((stack) => [stack.postgres.port, new URL(stack.aws.endpoint).port]);
  expect(new Set(ports).size).toBe(4);
});

test('data of another version is refused', async () => {
  await (await start({ dir })).stop();
  await expect(start({ dir, pgVersion: 15 })).rejects.toMatchObject({
    code: 'directory_unusable',
    hint: expect.stringContaining('--pg-version 18') as unknown,
  });
});

test('an agent that dies is started again', async () => {
  const stack = await start();
  const first = stack.agent.pid;
  process.kill(first, 'SIGKILL');
  const isBack = () => stack.agent.pid !== first;
  expect(await waitUntil(isBack, { timeoutMs: 20_000, everyMs: 50 })).toBe(true);
  expect(lines).toContainEqual(expect.stringContaining('the agent ended unexpectedly (signal SIGKILL)'));
  const socket = connect(join(stack.agent.socketDirectory, '.s.PGSQL.5432'));
  await once(socket, 'connect');
  socket.destroy();
});

test('a server that dies is told', async () => {
  const stack = await start();
  expect(await Promise.race([stack.failed, sleep(200, 'running')])).toBe('running');
  await ask(stack, "SELECT pg_reload_conf(), set_config('log_statement', 'none', false)");
  const pid = Number(await ask(stack, "SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)"));
  process.kill(pid, 'SIGQUIT');
  expect(await stack.failed).toMatchObject({ code: 'postgres_failed' });
});

test('a start that is aborted leaves nothing behind', async () => {
  const controller = new AbortController();
  const reason = new Error('enough');
  setTimeout(() => controller.abort(reason), 500);
  await expect(startLocal({ dir }, { signal: controller.signal })).rejects.toBe(reason);
  expect(await processesNaming(dir)).toEqual([]);
  const stack = await start({ dir });
  expect(await ask(stack, 'SELECT 1')).toBe(1);
});

test('a wrong setting of the agent ends the start with the reason', async () => {
  await expect(start({ dir, agentConfig: { export: { no_such_key: true } } })).rejects.toMatchObject({
    code: 'agent_failed',
    detail: expect.stringContaining('no_such_key') as unknown,
  });
  expect(await processesNaming(dir)).toEqual([]);
});

test('a stack in a temporary directory leaves nothing behind even when its process is killed', async () => {
  const program = `
    import { startLocal } from '@sluice/local';
    const stack = await startLocal();
    process.send([stack.directory, stack.agent.socketDirectory]);
    setInterval(() => undefined, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    cwd: import.meta.dirname,
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const [message] = await once(child, 'message');
  const [directory, socketDirectory] = z.tuple([z.string(), z.string()]).parse(message);
  child.kill('SIGKILL');
  const isGone = async () =>
    (await processesNaming(directory)).length === 0 &&
    !existsSync(directory) &&
    !existsSync(dirname(socketDirectory));
  expect(await waitUntil(isGone, { timeoutMs: 20_000, everyMs: 100 })).toBe(true);
});

test('wrong options are named', async () => {
  await expect(start({ awsPort: 70_000 })).rejects.toMatchObject({
    code: 'invalid_option',
    message: expect.stringContaining('awsPort') as unknown,
  });
});

test.runIf(process.getuid?.() === 0)(
  'below a closed directory, the data lies elsewhere, and is found again',
  async () => {
    await chmod(root, 0o700);
    const first = await start({ dir });
    expect(lines).toContainEqual(expect.stringContaining('/var/lib/sluice/local/state-'));
    await ask(first, 'CREATE TABLE kept AS SELECT 42 AS answer');
    await first.stop();
    const second = await start({ dir });
    expect(await ask(second, 'SELECT answer FROM kept')).toBe(42);
    const elsewhere = String(await ask(second, 'SHOW data_directory'));
    await second.stop();
    await rm(dirname(elsewhere), { recursive: true });
  },
);

test('a socket directory that somebody else has put there is refused', async () => {
  const stack = await start({ dir });
  const run = dirname(stack.agent.socketDirectory);
  await stack.stop();
  await mkdir(join(root, 'trap'));
  await symlink(join(root, 'trap'), run);
  try {
    await expect(startLocal({ dir })).rejects.toMatchObject({ code: 'directory_unusable' });
  } finally {
    await unlink(run);
  }
});
