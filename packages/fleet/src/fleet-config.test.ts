import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { loadFleetConfig } from './fleet-config.ts';
import { fleetSchema, scheduleSchema, sourceSchema } from './fleet-schema.ts';

const KEY = Buffer.alloc(32, 7).toString('base64');
const FLEET = `[fleet]\nkey_env = "FLEET_KEY"\n`;

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-fleet-config-'));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(directory, { recursive: true });
});

async function load(text: string, mode = 0o600) {
  const path = join(directory, 'fleet.toml');
  await writeFile(path, text);
  await chmod(path, mode);
  return loadFleetConfig(path);
}

const refused = (text: string) =>
  load(text).then(
    () => 'accepted',
    (error: unknown) => (error instanceof Error && 'detail' in error ? String(error.detail) : String(error)),
  );

describe('loadFleetConfig', () => {
  it('fills in the defaults', async () => {
    const config = await load(`${FLEET}[sources.sales]\n`);
    expect(config).toMatchObject({
      name: 'sluice',
      worker: {
        jobs: 2,
        exports: 1,
        memoryBytes: 256 * 1024 ** 2,
        shutdownTimeoutMs: 30_000,
        logLevel: 'info',
      },
      s3: { checksums: 'crc32', maxAttempts: 5 },
      dashboard: { listen: { host: '127.0.0.1', port: 8433 }, token: undefined, hosts: [] },
      schedules: [],
      warnings: [],
    });
    expect(config.sources.get('sales')).toMatchObject({ maxConnections: 8, maxExports: 2, url: undefined });
    expect(await config.redis.url.read()).toBe('redis://127.0.0.1:6379');
  });

  it('reads secrets from the environment, files and the file itself, when they are used', async () => {
    const file = join(directory, 'sales-url');
    const config = await load(
      `${FLEET}[redis]\nurl = "rediss://redis.example"\n[sources.sales]\nurl_file = "${file}"\n`,
    );
    vi.stubEnv('FLEET_KEY', KEY);
    await writeFile(file, 'postgresql://reader:secret@db.example/sales\n', { mode: 0o600 });
    expect(await config.key.read()).toBe(KEY);
    expect(await config.redis.url.read()).toBe('rediss://redis.example');
    expect(await config.sources.get('sales')?.url?.read()).toBe(
      'postgresql://reader:secret@db.example/sales',
    );
  });

  it('says which secret is missing, and where it was looked for', async () => {
    const config = await load(`${FLEET}[sources.sales]\nurl_file = "${directory}/none"\n`);
    await expect(config.key.read()).rejects.toMatchObject({
      code: 'config_invalid',
      message: 'fleet.key: the environment variable FLEET_KEY is not set',
    });
    await expect(config.sources.get('sales')?.url?.read()).rejects.toMatchObject({
      message: `sources.sales.url: could not read "${directory}/none"`,
    });
  });

  it('warns of secrets that every user of the machine may read', async () => {
    const file = join(directory, 'token');
    await writeFile(file, 'secret');
    await chmod(file, 0o644);
    const config = await load(`[fleet]\nkey = "${KEY}"\n[dashboard]\ntoken_file = "${file}"\n`, 0o644);
    expect(config.warnings).toEqual([
      `fleet.toml: every user of this machine may read the secret in "${directory}/fleet.toml": chmod o-r it`,
      `dashboard.token: every user of this machine may read the secret in "${file}": chmod o-r it`,
    ]);
    expect((await load(FLEET, 0o644)).warnings).toEqual([]);
  });

  it('reads schedules', async () => {
    const { schedules } = await load(`${FLEET}
[[schedules]]
name = "nightly"
cron = "15 2 * * *"
time_zone = "Europe/Berlin"
source = "sales"
tables = ["public.orders", "archive.*"]
destination = "s3://sample-bucket/sales/{{date}}"
options = "format csv, header true"
file_size = "64MiB"
attempts = 5
`);
    expect(schedules).toMatchObject([
      {
        name: 'nightly',
        cron: '15 2 * * *',
        timeZone: 'Europe/Berlin',
        request: {
          source: 'sales',
          bucket: 'sample-bucket',
          prefix: 'sales/{{date}}/',
          tables: ['public.orders', 'archive.*'],
          copyOptions: 'format csv, header true',
          fileSizeBytes: 64 * 1024 ** 2,
          ifExists: 'fail',
          manifest: true,
          attempts: 5,
        },
      },
    ]);
  });

  it.each([
    ['', 'fleet: '],
    ['[fleet]\n', 'fleet: expected key_env, key_file or key: openssl rand -base64 32 makes one'],
    [`${FLEET}key = "x"\n`, 'fleet: expected one of key_env, key_file and key'],
    [`${FLEET}[sources."a:b"]\n`, 'sources.a:b: '],
    [`${FLEET}[sources.a]\nmax_exports = 8\n`, 'sources.a: expected max_exports below max_connections'],
    [`${FLEET}[worker]\njobs = 0\n`, 'worker.jobs: '],
    [`${FLEET}[redis]\nurl = 5\n`, 'redis.url: '],
    [
      `${FLEET}[[schedules]]\nname = "n"\ncron = "* * * * *"\nsource = "a"\ndestination = "x"\n`,
      'schedules.0',
    ],
    [`${FLEET}[s3]\nendpoit = "x"\n`, 's3.endpoit: there is no such key'],
  ])('says of %j what is wrong', async (text, detail) => {
    expect(await refused(text)).toContain(detail);
  });

  it('never shows a secret', async () => {
    const text = await refused(
      '[fleet]\nkey = 12345678\n[redis]\nurl = 87654321\n[dashboard]\ntoken = 13572468\n',
    );
    expect(text).not.toMatch(/12345678|87654321|13572468/);
  });
});

it('docs/fleet-configuration.md describes every key, and no other', async () => {
  const text = await readFile(new URL('../../../docs/fleet-configuration.md', import.meta.url), 'utf8');
  const documented = text.split(/^## /m).flatMap((section) => {
    const table = /^\[+(\w+)/.exec(section)?.[1];
    return [...section.matchAll(/^\| `(\w+)`/gm)].map(([, key]) => `${table}.${key}`);
  });
  const { sources: _, schedules: __, ...tables } = fleetSchema.shape;
  const shapes = { ...tables, sources: sourceSchema, schedules: scheduleSchema };
  const known = Object.entries(shapes).flatMap(([table, schema]) => {
    const inner = 'unwrap' in schema ? schema.unwrap() : schema;
    return Object.keys(inner.shape).map((key) => `${table}.${key}`);
  });
  expect(documented.toSorted()).toEqual(known.toSorted());
});
