import { readFile } from 'node:fs/promises';
import { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { SluiceError } from 'sluice';
import type { FleetConfig } from './fleet-config.ts';

const CONNECT_TIMEOUT_MS = 10_000;
const LONGEST_PAUSE_MS = 2_000;
const KEEPALIVE_MS = 10_000;
/** How often a command of a program that somebody waits for is sent again over a new connection. */
const RETRIES_OF_CLIENTS = 3;

/** How Redis is reached, as ioredis and BullMQ take it. */
export interface RedisSettings {
  host?: string;
  port?: number;
  /** Of a Unix socket. */
  path?: string;
  username?: string;
  password?: string;
  db?: number;
  tls?: { ca?: string };
  connectTimeout: number;
  keepAlive: number;
  retryStrategy: (times: number) => number;
  maxRetriesPerRequest: null;
}

type RedisAddress = Omit<
  RedisSettings,
  'connectTimeout' | 'keepAlive' | 'retryStrategy' | 'maxRetriesPerRequest'
>;

/**
 * How Redis is reached.
 *
 * @throws SluiceError `config_invalid`
 */
export async function redisOptions({ redis }: Pick<FleetConfig, 'redis'>): Promise<RedisSettings> {
  const url = parseRedisUrl(await redis.url.read());
  const ca = redis.caFile === undefined ? undefined : await readCa(redis.caFile);
  if (ca !== undefined && url.tls === undefined) {
    throw new SluiceError('config_invalid', 'redis.ca_file: the connection to Redis is not encrypted', {
      hint: 'Give a URL that begins with rediss://.',
    });
  }
  return {
    ...url,
    ...(ca === undefined ? {} : { tls: { ...url.tls, ca } }),
    connectTimeout: CONNECT_TIMEOUT_MS,
    keepAlive: KEEPALIVE_MS,
    retryStrategy: (times) =>
      Math.min(50 * 2 ** Math.min(times, 10), LONGEST_PAUSE_MS) * (0.75 + Math.random() / 2),
    // What was sent is sent again when Redis is back, for as long as it takes.
    maxRetriesPerRequest: null,
  };
}

/**
 * A connection for programs that somebody waits for: it fails when Redis cannot be reached.
 *
 * @throws SluiceError `fleet_unavailable`
 */
export async function connectRedis(options: RedisSettings, log: Logger): Promise<Redis> {
  const redis = new Redis({ ...options, lazyConnect: true, maxRetriesPerRequest: RETRIES_OF_CLIENTS });
  logRedisErrors(redis, log);
  // What connect() throws only says that there is no connection.
  let reason: Error | undefined;
  redis.on('error', (error) => {
    reason = error;
  });
  try {
    await redis.connect();
    return redis;
  } catch (error) {
    redis.disconnect();
    throw unreachable(options, reason ?? error);
  }
}

/** Logs the errors of a connection; the same one once until it is well again. Without a listener they would end the process. */
export function logRedisErrors(
  emitter: {
    on(event: 'error', listener: (error: Error) => void): unknown;
    on(event: 'ready', listener: () => void): unknown;
  },
  log: Logger,
): void {
  let last: string | undefined;
  emitter.on('error', (error) => {
    const text = textOf(error);
    if (text === last) return;
    last = text;
    log.warn({ err: error }, 'Redis');
  });
  emitter.on('ready', () => {
    last = undefined;
  });
}

function unreachable({ host, port, path }: RedisSettings, error: unknown): SluiceError {
  return new SluiceError('fleet_unavailable', `could not connect to Redis at ${path ?? `${host}:${port}`}`, {
    cause: error,
    detail: error instanceof Error ? `${textOf(error).replace(/\.$/, '')}.` : undefined,
    hint: 'Look at [redis] in fleet.toml: the address, the password, and whether it wants TLS (rediss://).',
    retryable: true,
  });
}

/** Of an attempt at several addresses, all that went wrong. */
function textOf(error: Error): string {
  return error instanceof AggregateError
    ? error.errors.map((each) => String(each)).join('; ')
    : error.message;
}

/** `redis://user:password@host:port/database`, `rediss://` for TLS, or `unix:///path/of/the/socket`. */
function parseRedisUrl(text: string): RedisAddress {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['redis:', 'rediss:', 'unix:'].includes(url.protocol)) {
    throw new SluiceError('config_invalid', 'redis.url: expected a URL such as redis://redis.example:6379', {
      hint: 'rediss:// is with TLS, unix:///run/redis.sock a Unix socket.',
    });
  }
  const isUnix = url.protocol === 'unix:';
  const database = (isUnix ? url.searchParams.get('db') : url.pathname.slice(1)) ?? '';
  if (!/^\d{0,5}$/.test(database)) {
    throw new SluiceError('config_invalid', 'redis.url: expected the number of a database after the slash');
  }
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  return {
    ...(isUnix
      ? { path: decodeURIComponent(url.pathname) }
      : { host, port: url.port === '' ? 6379 : Number(url.port) }),
    ...(url.username === '' ? {} : { username: decodeURIComponent(url.username) }),
    ...(url.password === '' ? {} : { password: decodeURIComponent(url.password) }),
    ...(database === '' ? {} : { db: Number(database) }),
    ...(url.protocol === 'rediss:' ? { tls: {} } : {}),
  };
}

async function readCa(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new SluiceError('config_invalid', `redis.ca_file: could not read "${path}"`, { cause: error });
  }
}
