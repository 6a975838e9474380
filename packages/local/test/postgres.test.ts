import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { afterEach, expect, test } from 'vitest';
import { isProcessAlive } from '../src/process/identity.ts';
import { startTemporaryPostgres, type TemporaryPostgres } from '../src/postgres/temporary-postgres.ts';

const started: TemporaryPostgres[] = [];
afterEach(async () => {
  await Promise.all(started.splice(0).map((server) => server.stop()));
});

async function start(...args: Parameters<typeof startTemporaryPostgres>) {
  const server = await startTemporaryPostgres(...args);
  started.push(server);
  return server;
}

async function ask(server: TemporaryPostgres, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString: server.url });
  await client.connect();
  try {
    const { rows } = await client.query<unknown[]>({ text: sql, rowMode: 'array' });
    return rows[0] ?? [];
  } finally {
    await client.end();
  }
}

test('a temporary server answers on 127.0.0.1, knows its settings, and leaves nothing behind', async () => {
  const server = await start({ settings: { 'sluice.socket_directory': '/somewhere' } });
  expect(await ask(server, "SELECT current_setting('sluice.socket_directory'), upper('é')")).toEqual([
    '/somewhere',
    'É',
  ]);
  await ask(server, 'CREATE EXTENSION dblink');
  expect(isProcessAlive(server.pid)).toBe(true);
  await server.stop();
  expect(isProcessAlive(server.pid)).toBe(false);
  expect(existsSync(server.directory)).toBe(false);
});

test('a wrong password is refused', async () => {
  const server = await start();
  const client = new Client({ connectionString: server.url.replace(':test@', ':wrong@') });
  await expect(client.connect()).rejects.toMatchObject({ code: '28P01' });
});

test('extension files are part of the installation', async () => {
  const { directory } = await start();
  const files = join(directory, 'extension');
  await mkdir(files);
  await writeFile(join(files, 'greeting.control'), "default_version = '1'\n");
  await writeFile(
    join(files, 'greeting--1.sql'),
    "CREATE FUNCTION greeting() RETURNS text RETURN 'hello';\n",
  );
  const server = await start({ extensionDirectory: files });
  await ask(server, 'CREATE EXTENSION greeting');
  expect(await ask(server, 'SELECT greeting()')).toEqual(['hello']);
});

test('a setting that does not exist ends in an error with the tail of the log', async () => {
  await expect(start({ settings: { no_such_setting: 'on' } })).rejects.toMatchObject({
    name: 'LocalError',
    code: 'postgres_failed',
    detail: expect.stringContaining('no_such_setting') as unknown,
  });
});

test('aborting the start stops what was started', async () => {
  const controller = new AbortController();
  const reason = new Error('enough');
  setTimeout(() => controller.abort(reason), 300);
  await expect(start({}, { signal: controller.signal })).rejects.toBe(reason);
});

test('servers start side by side', async () => {
  const servers = await Promise.all([start(), start(), start()]);
  expect(new Set(servers.map((server) => server.port)).size).toBe(3);
});

test.each([14, 15, 16, 17, 18] as const)(
  'PostgreSQL %i runs, with dblink and the extension files in their place',
  async (major) => {
    const extensionDirectory = fileURLToPath(new URL('../../sluice/extension', import.meta.url));
    const server = await start({
      major,
      extensionDirectory,
      settings: { 'sluice.socket_directory': '/nowhere' },
    });
    await ask(server, 'CREATE EXTENSION aws_s3 CASCADE');
    expect(await ask(server, "SELECT current_setting('server_version_num')::int / 10000")).toEqual([major]);
    expect(
      await ask(server, "SELECT srvoptions::text FROM pg_foreign_server WHERE srvname = 'sluice_agent'"),
    ).toEqual([expect.stringContaining('/nowhere')]);
  },
);
