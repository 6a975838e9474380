import { z } from 'zod';
import {
  absolutePath,
  bytes,
  duration,
  keysTogether,
  listenAddress,
  name,
  region,
  s3Keys,
  text,
} from 'sluice/engine';

/** A part of keys in Redis, and of names that people type. */
const shortName = () =>
  name(/^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/, 'letters, digits, underscores and hyphens, up to 63');

/** The three keys of a secret, of which one is given. */
function secret<const K extends string>(key: K) {
  const place = (suffix: string) => [`${key}${suffix}`, text().optional()] as const;
  // Exactly these keys.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return Object.fromEntries([place(''), place('_env'), place('_file')]) as Record<
    K | `${K}_env` | `${K}_file`,
    z.ZodOptional<z.ZodString>
  >;
}

function oneOf(key: string) {
  return [
    (table: Readonly<Record<string, unknown>>) =>
      ['', '_env', '_file'].filter((suffix) => table[`${key}${suffix}`] !== undefined).length <= 1,
    `expected one of ${key}_env, ${key}_file and ${key}`,
  ] as const;
}

const hasKey = (table: Readonly<Record<string, unknown>>) =>
  ['key', 'key_env', 'key_file'].some((key) => table[key] !== undefined);

const MIN_FILE_BYTES = 1024 ** 2;
const MAX_FILE_BYTES = 5 * 1024 ** 4;
/** BullMQ's. */
const MAX_PRIORITY = 2 ** 21 - 1;

/** Browsers open no Unix sockets. */
function onTcp(
  listen: { host: string; port: number } | { path: string },
  context: z.core.$RefinementCtx,
): { host: string; port: number } {
  if ('host' in listen) return listen;
  context.addIssue({
    code: 'custom',
    message: 'expected a host and a port such as "127.0.0.1:8433"',
    input: listen.path,
  });
  return z.NEVER;
}

/** Exported for the test of its documentation. */
export const sourceSchema = z
  .strictObject({
    ...secret('url'),
    max_connections: z.int().min(2).max(10_000).default(8),
    max_exports: z.int().min(1).max(1_000).default(2),
  })
  .refine(...oneOf('url'))
  .refine(
    ({ max_connections: connections, max_exports: exports }) => exports < connections,
    'expected max_exports below max_connections: each export keeps one connection, and its pieces need others',
  );

export const scheduleSchema = z
  .strictObject({
    name: shortName(),
    cron: text(),
    time_zone: text().default('UTC'),
    source: shortName(),
    tables: z.array(text()).optional(),
    query: text().optional(),
    split_by: text().optional(),
    destination: name(/^s3:\/\/[^/]+\/.*$/s, 's3://bucket/prefix/'),
    options: text().optional(),
    compression: z.enum(['gzip', 'zstd']).optional(),
    file_size: bytes(MIN_FILE_BYTES, MAX_FILE_BYTES, 'from "1MiB" to "5TiB"').optional(),
    header_in: z.enum(['each', 'first']).optional(),
    kms_key: text().optional(),
    storage_class: text().optional(),
    tags: z.record(text(), z.string()).optional(),
    metadata: z.record(text(), z.string()).optional(),
    if_exists: z.enum(['fail', 'overwrite', 'clean']).default('fail'),
    manifest: z.boolean().default(true),
    region: region().optional(),
    priority: z.int().min(1).max(MAX_PRIORITY).optional(),
    attempts: z.int().min(0).max(1_000).optional(),
  })
  .refine(({ tables = [], query }) => tables.length > 0 || query !== undefined, 'expected tables or a query');

/** fleet.toml; its keys are described in docs/fleet-configuration.md. */
export const fleetSchema = z.strictObject({
  fleet: z
    .strictObject({ name: shortName().default('sluice'), ...secret('key') })
    .refine(...oneOf('key'))
    .refine(hasKey, 'expected key_env, key_file or key: openssl rand -base64 32 makes one'),
  redis: z
    .strictObject({ ...secret('url'), ca_file: absolutePath().optional() })
    .refine(...oneOf('url'))
    .prefault({}),
  worker: z
    .strictObject({
      jobs: z.int().min(1).max(1_000).default(2),
      exports: z.int().min(1).max(1_000).default(1),
      memory: bytes(5 * 1024 ** 2, Number.MAX_SAFE_INTEGER, 'at least "5MiB"').default(256 * 1024 ** 2),
      shutdown_timeout: duration().default(30_000),
      log_level: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal']).default('info'),
    })
    .prefault({}),
  sources: z.record(shortName(), sourceSchema).default({}),
  s3: z
    .strictObject({ region: region().optional(), profile: text().optional(), ...s3Keys })
    .refine(...keysTogether)
    .prefault({}),
  dashboard: z
    .strictObject({
      listen: listenAddress().prefault('127.0.0.1:8433').transform(onTcp),
      ...secret('token'),
      hosts: z.array(text()).default([]),
    })
    .refine(...oneOf('token'))
    .prefault({}),
  schedules: z
    .array(scheduleSchema)
    .refine(
      (all) => new Set(all.map(({ name: each }) => each)).size === all.length,
      'expected each name once',
    )
    .default([]),
});

export type FleetToml = z.output<typeof fleetSchema>;
