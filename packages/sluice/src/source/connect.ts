import type { Client, ClientConfig } from 'pg';
import { connectError, isRefusedWayIn } from './connect-error.ts';
import type { ConnectionSettings } from './conninfo.ts';
import { resolveSettings, type Environment } from './connection-settings.ts';
import { findPassword } from './password-file.ts';
import { ReadingSocket } from './reading-socket.ts';
import { SourceClient } from './source-client.ts';
import { tlsSettings, type TlsSettings } from './tls-settings.ts';

const CONNECT_TIMEOUT_MS = 30_000;
const END_TIMEOUT_MS = 1_000;
/** A peer that is gone is found out within this and ten seconds more. */
const KEEPALIVE_IDLE_MS = 10_000;

export interface ConnectOptions {
  /** As psql takes it: a URI, a list of `key = value`, or the name of a database. PG* variables say what it leaves out. */
  connectionString?: string | undefined;
  /** What pg_stat_activity shows, unless the connection string or PGAPPNAME say something else. @default 'sluice' */
  applicationName?: string | undefined;
  /** Breaks the attempt off; its reason is thrown. */
  signal?: AbortSignal | undefined;
  /** PG* variables, and HOME. @default those of the process */
  environment?: Environment | undefined;
}

/**
 * Connects as psql would: to the same server, as the same user, with the password from the same place and the same demands
 * on TLS. Settings of the session are left as the server, the database and the role have them, since COPY's bytes depend
 * on them (DateStyle, IntervalStyle, extra_float_digits, bytea_output, ...); and so that nothing stays with the server's
 * session of a pooler: what an export needs (no statement_timeout) belongs into its transaction, as NO_TIME_LIMITS.
 *
 * @throws SluiceError `database_unavailable`, `invalid_argument`, `missing_argument`: with what to do; never with a password
 * @throws the signal's reason
 */
export async function connectTo(options: ConnectOptions = {}): Promise<SourceClient> {
  const { connectionString, signal, environment = process.env } = options;
  signal?.throwIfAborted();
  const settings = await resolveSettings(connectionString, environment);
  const ways = await tlsSettings(settings, environment);
  for (;;) {
    const ssl = ways.shift() ?? false;
    try {
      return await open(settings, ssl, options);
    } catch (error) {
      signal?.throwIfAborted();
      if (ways.length === 0 || !isRefusedWayIn(error)) throw connectError(error, settings);
    }
  }
}

/** Says goodbye, but waits for no answer that does not come. */
export async function disconnect(client: Client): Promise<void> {
  const timer = setTimeout(() => client.connection.stream.destroy(), END_TIMEOUT_MS);
  // All that was to be had from the connection was had.
  await client.end().catch(() => undefined);
  clearTimeout(timer);
}

async function open(
  settings: ConnectionSettings,
  ssl: TlsSettings,
  { applicationName = 'sluice', signal, environment = process.env }: ConnectOptions,
): Promise<SourceClient> {
  const client = new SourceClient(configOf(settings, { ssl, applicationName, environment }));
  const hangUp = (): void => void client.connection.stream.destroy();
  const giveUp = (): void => void client.connection.stream.destroy(new Error('timeout expired'));
  const timer = setTimeout(giveUp, timeoutOf(settings));
  signal?.addEventListener('abort', hangUp, { once: true });
  try {
    await client.connect();
    const wanted = settings.get('client_encoding') ?? 'auto';
    client.copyEncoding = wanted === 'auto' ? await defaultEncoding(client) : wanted;
    signal?.throwIfAborted();
    return client;
  } catch (error) {
    hangUp();
    throw error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', hangUp);
  }
}

function timeoutOf(settings: ConnectionSettings): number {
  return Number(settings.get('connect_timeout') ?? 0) * 1000 || CONNECT_TIMEOUT_MS;
}

function configOf(
  settings: ConnectionSettings,
  {
    ssl,
    applicationName,
    environment,
  }: { ssl: TlsSettings; applicationName: string; environment: Environment },
): ClientConfig {
  const options = [settings.get('options'), ...sessionOptions(environment)].filter(
    (text) => text !== undefined,
  );
  const isDirect = settings.get('sslnegotiation') === 'direct' && ssl !== false;
  const config: ClientConfig & { sslnegotiation: string; enableChannelBinding: boolean } = {
    host: settings.get('host') ?? 'localhost',
    port: Number(settings.get('port')),
    user: settings.get('user') ?? '',
    database: settings.get('dbname') ?? '',
    password: () => findPassword(settings, environment),
    ssl,
    sslnegotiation: isDirect ? 'direct' : 'postgres',
    enableChannelBinding: settings.get('channel_binding') === 'require',
    application_name:
      settings.get('application_name') ?? settings.get('fallback_application_name') ?? applicationName,
    ...(options.length === 0 ? {} : { options: options.join(' ') }),
    stream: () => new ReadingSocket(),
    keepAlive: settings.get('keepalives') !== '0',
    keepAliveInitialDelayMillis: Number(settings.get('keepalives_idle') ?? 0) * 1000 || KEEPALIVE_IDLE_MS,
  };
  return config;
}

/** libpq sends these on; pg can only as options. */
function sessionOptions(environment: Environment): string[] {
  const variables = { PGDATESTYLE: 'datestyle', PGTZ: 'timezone' };
  return Object.entries(variables).flatMap(([variable, setting]) => {
    const value = environment[variable];
    return value === undefined || value === ''
      ? []
      : [`-c ${setting}=${value.replaceAll(/[\s\\]/g, '\\$&')}`];
  });
}

/**
 * The encoding that COPY would write if pg did not ask for a session in UTF-8: of the role, the database, or what the
 * database is in. (One of postgresql.conf can't be seen, and is hardly ever set.)
 * Source: process_settings in PostgreSQL's src/backend/utils/init/postinit.c.
 */
async function defaultEncoding(client: SourceClient): Promise<string | undefined> {
  const { rows } = await client.query<{ encoding: string }>(DEFAULT_ENCODING);
  return rows[0]?.encoding;
}

const DEFAULT_ENCODING = `
  SELECT COALESCE((
    SELECT pg_catalog.split_part(c.setting, '=', 2)
    FROM pg_catalog.pg_db_role_setting AS s, pg_catalog.unnest(s.setconfig) AS c (setting)
    WHERE (s.setrole OPERATOR(pg_catalog.=) 0 OR s.setrole OPERATOR(pg_catalog.=) (
        SELECT r.oid FROM pg_catalog.pg_roles AS r WHERE r.rolname OPERATOR(pg_catalog.=) session_user))
      AND (s.setdatabase OPERATOR(pg_catalog.=) 0 OR s.setdatabase OPERATOR(pg_catalog.=) (
        SELECT d.oid FROM pg_catalog.pg_database AS d
        WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()))
      AND pg_catalog.lower(pg_catalog.split_part(c.setting, '=', 1)) OPERATOR(pg_catalog.=) 'client_encoding'
    ORDER BY s.setrole OPERATOR(pg_catalog.=) 0, s.setdatabase OPERATOR(pg_catalog.=) 0
    LIMIT 1
  ), pg_catalog.current_setting('server_encoding')) AS encoding`;
