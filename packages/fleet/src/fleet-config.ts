import { SluiceError } from 'sluice';
import { loadToml } from 'sluice/engine';
import type { FleetRequest } from './fleet-export.ts';
import { fleetSchema, type FleetToml } from './fleet-schema.ts';
import { readableByOthers, Secret } from './secret.ts';

/** A fleet.toml, checked, with defaults filled in. Its secrets are read when they are used. */
export interface FleetConfig {
  /** Of the file. */
  path: string;
  /** What all keys in Redis begin with. */
  name: string;
  /** 32 bytes in base64, by which the members of the fleet know each other. */
  key: Secret;
  redis: { url: Secret; caFile: string | undefined };
  worker: {
    /** Pieces of a source at a time in one process. */
    jobs: number;
    /** Exports of a source whose snapshot one process keeps at a time. */
    exports: number;
    memoryBytes: number;
    shutdownTimeoutMs: number;
    logLevel: FleetToml['worker']['log_level'];
  };
  sources: ReadonlyMap<string, SourceConfig>;
  s3: S3Settings;
  dashboard: {
    listen: { host: string; port: number };
    token: Secret | undefined;
    /** Names by which it is reached. */
    hosts: readonly string[];
  };
  schedules: readonly FleetSchedule[];
  /** About files with secrets that other users may read. */
  warnings: readonly string[];
}

/** A database that workers export from. */
export interface SourceConfig {
  name: string;
  /** Its connection string; only workers need it. */
  url: Secret | undefined;
  maxConnections: number;
  maxExports: number;
}

export interface S3Settings {
  region: string | undefined;
  profile: string | undefined;
  keys: { accessKeyId: string; secretAccessKey: string; sessionToken: string | undefined } | undefined;
  endpoint: string | undefined;
  forcePathStyle: boolean | undefined;
  checksums: 'crc32' | 'none';
  caFile: string | undefined;
  connectTimeoutMs: number;
  requestTimeoutMs: number;
  maxAttempts: number;
}

export interface FleetSchedule {
  name: string;
  cron: string;
  /** IANA. */
  timeZone: string;
  request: FleetRequest;
}

const FLEET_TOML = { schema: fleetSchema, hint: 'docs/fleet-configuration.md describes every key.' };

/**
 * Reads and checks a fleet.toml.
 *
 * @throws SluiceError `config_invalid`, as loadConfig of sluice.toml
 */
export async function loadFleetConfig(
  path: string,
  options: { signal?: AbortSignal } = {},
): Promise<FleetConfig> {
  const toml = await loadToml(path, FLEET_TOML, options);
  const { fleet, redis, worker, dashboard } = toml;
  const key = secretOf('fleet.key', { value: fleet.key, env: fleet.key_env, file: fleet.key_file });
  const token = secretOf('dashboard.token', {
    value: dashboard.token,
    env: dashboard.token_env,
    file: dashboard.token_file,
  });
  const url = secretOf('redis.url', { value: redis.url, env: redis.url_env, file: redis.url_file });
  if (key === undefined) throw new SluiceError('internal', 'the schema lets a missing key through');
  const sources = new Map(Object.entries(toml.sources).map(([name, each]) => [name, sourceOf(name, each)]));
  const config = {
    path,
    name: fleet.name,
    key,
    redis: { url: url ?? new Secret('redis.url', { value: DEFAULT_REDIS_URL }), caFile: redis.ca_file },
    worker: {
      jobs: worker.jobs,
      exports: worker.exports,
      memoryBytes: worker.memory,
      shutdownTimeoutMs: worker.shutdown_timeout,
      logLevel: worker.log_level,
    },
    sources,
    s3: s3Of(toml.s3),
    dashboard: { listen: dashboard.listen, token, hosts: dashboard.hosts },
    schedules: toml.schedules.map(scheduleOf),
  };
  const secrets = [key, url, token, ...[...sources.values()].map((source) => source.url)];
  const warnings = await Promise.all([
    holdsSecret(toml) ? readableByOthers(path, 'fleet.toml') : undefined,
    ...secrets.map((secret) => secret?.warning()),
  ]);
  return Object.freeze({ ...config, warnings: warnings.filter((text) => text !== undefined) });
}

const DEFAULT_REDIS_URL = 'redis://127.0.0.1:6379';

function secretOf(key: string, place: ConstructorParameters<typeof Secret>[1]): Secret | undefined {
  const isGiven = Object.values(place).some((value) => value !== undefined);
  return isGiven ? new Secret(key, place) : undefined;
}

function sourceOf(name: string, source: FleetToml['sources'][string]): SourceConfig {
  return {
    name,
    url: secretOf(`sources.${name}.url`, { value: source.url, env: source.url_env, file: source.url_file }),
    maxConnections: source.max_connections,
    maxExports: source.max_exports,
  };
}

function s3Of(s3: FleetToml['s3']): S3Settings {
  const { access_key_id: accessKeyId, secret_access_key: secretAccessKey, session_token: sessionToken } = s3;
  const hasKeys = accessKeyId !== undefined && secretAccessKey !== undefined;
  return {
    region: s3.region,
    profile: s3.profile,
    keys: hasKeys ? { accessKeyId, secretAccessKey, sessionToken } : undefined,
    endpoint: s3.endpoint,
    forcePathStyle: s3.force_path_style ? true : undefined,
    checksums: s3.checksums,
    caFile: s3.ca_file,
    connectTimeoutMs: s3.connect_timeout,
    requestTimeoutMs: s3.request_timeout,
    maxAttempts: s3.max_attempts,
  };
}

function scheduleOf(schedule: FleetToml['schedules'][number]): FleetSchedule {
  const { name, cron, time_zone: timeZone, destination } = schedule;
  const [, bucket = '', path = ''] = /^s3:\/\/([^/]+)\/(.*)$/s.exec(destination) ?? [];
  const request: FleetRequest = {
    source: schedule.source,
    bucket,
    prefix: path === '' || path.endsWith('/') ? path : `${path}/`,
    timeZone,
    tables: schedule.tables,
    query: schedule.query,
    splitBy: schedule.split_by,
    copyOptions: schedule.options,
    fileSizeBytes: schedule.file_size,
    compression: schedule.compression,
    headerIn: schedule.header_in,
    kmsKeyId: schedule.kms_key,
    storageClass: schedule.storage_class,
    tags: schedule.tags,
    metadata: schedule.metadata,
    manifest: schedule.manifest,
    ifExists: schedule.if_exists,
    region: schedule.region,
    priority: schedule.priority,
    attempts: schedule.attempts,
  };
  return { name, cron, timeZone, request };
}

/** Whether a secret stands in the file itself. */
function holdsSecret({ fleet, redis, sources, s3, dashboard }: FleetToml): boolean {
  const values = [fleet.key, redis.url, s3.secret_access_key, dashboard.token];
  return [...values, ...Object.values(sources).map(({ url }) => url)].some((value) => value !== undefined);
}
