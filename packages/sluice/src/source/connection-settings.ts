import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errnoOf, SluiceError } from '../errors.ts';
import { osUserName } from '../os-user-name.ts';
import { checkSettings, parseConninfo, type ConnectionSettings } from './conninfo.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** https://www.postgresql.org/docs/current/libpq-envars.html */
const VARIABLES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    PGHOST: 'host',
    PGPORT: 'port',
    PGDATABASE: 'dbname',
    PGUSER: 'user',
    PGPASSWORD: 'password',
    PGPASSFILE: 'passfile',
    PGOPTIONS: 'options',
    PGAPPNAME: 'application_name',
    PGSSLMODE: 'sslmode',
    PGSSLNEGOTIATION: 'sslnegotiation',
    PGSSLCERT: 'sslcert',
    PGSSLKEY: 'sslkey',
    PGSSLROOTCERT: 'sslrootcert',
    PGCHANNELBINDING: 'channel_binding',
    PGTARGETSESSIONATTRS: 'target_session_attrs',
    PGCONNECT_TIMEOUT: 'connect_timeout',
    PGCLIENTENCODING: 'client_encoding',
  }),
);

/** Where packages of PostgreSQL have the server's socket: Debian's and Red Hat's, and the source's. */
const SOCKET_DIRECTORIES = ['/var/run/postgresql', '/tmp'];

/**
 * The settings of a connection, in libpq's order: what the connection string leaves out comes from the service that it or
 * PGSERVICE names, then from PG* variables, then from defaults.
 *
 * @throws SluiceError `invalid_argument`
 */
export async function resolveSettings(
  connectionString: string | undefined,
  environment: Environment,
): Promise<ConnectionSettings> {
  const settings = checkSettings(parseConninfo(connectionString ?? ''), 'the connection string');
  const service = settings.get('service') ?? environment['PGSERVICE'];
  if (service !== undefined && service !== '') {
    addMissing(settings, await readService(service, settings.get('servicefile'), environment));
  }
  const variables: ConnectionSettings = new Map();
  for (const [variable, name] of VARIABLES) {
    const value = environment[variable];
    if (value !== undefined && value !== '') variables.set(name, value);
  }
  addMissing(settings, checkSettings(variables, "the environment's PG* variables"));
  const port = settings.get('port') ?? '5432';
  if (!/^\d+$/.test(port) || Number(port) < 1 || Number(port) > 65_535) {
    throw new SluiceError('invalid_argument', `invalid port of the database: "${port}"`);
  }
  addMissing(settings, new Map([['port', port]]));
  addMissing(settings, new Map([['host', defaultHost(port)]]));
  const user = settings.get('user') ?? osUserName();
  if (user === undefined) {
    throw new SluiceError('missing_argument', 'no user to connect to the database as', {
      hint: 'Name one in the connection string, or in PGUSER.',
    });
  }
  addMissing(settings, new Map([['user', user]]));
  addMissing(settings, new Map([['dbname', user]]));
  return settings;
}

function addMissing(settings: ConnectionSettings, more: ConnectionSettings): void {
  for (const [name, value] of more) if (!settings.has(name)) settings.set(name, value);
}

function defaultHost(port: string): string {
  const directory = SOCKET_DIRECTORIES.find((path) => existsSync(join(path, `.s.PGSQL.${port}`)));
  return directory ?? 'localhost';
}

/**
 * A service of the user's or the system's service file.
 * Source: https://www.postgresql.org/docs/current/libpq-pgservice.html
 */
async function readService(
  service: string,
  named: string | undefined,
  environment: Environment,
): Promise<ConnectionSettings> {
  const own = named ?? environment['PGSERVICEFILE'] ?? join(environment['HOME'] ?? '', '.pg_service.conf');
  const systemDirectory = environment['PGSYSCONFDIR'];
  const files = systemDirectory === undefined ? [own] : [own, join(systemDirectory, 'pg_service.conf')];
  for (const file of files) {
    const found = serviceOf(service, await readIfThere(file));
    if (found !== undefined) return checkSettings(found, `service "${service}" of ${file}`);
  }
  throw new SluiceError('invalid_argument', `there is no service "${service}" to connect to`, {
    detail: `It was looked for in ${files.join(' and ')}.`,
    hint: 'PGSERVICEFILE names another service file.',
  });
}

/** The lines of a `[service]`, up to the next one. */
function serviceOf(service: string, text: string): ConnectionSettings | undefined {
  let settings: ConnectionSettings | undefined;
  for (const line of text.split('\n').map((raw) => raw.trim())) {
    if (line === '' || line.startsWith('#')) continue;
    if (line.startsWith('[')) {
      if (settings !== undefined) break;
      if (line === `[${service}]`) settings = new Map();
      continue;
    }
    const equals = line.indexOf('=');
    if (settings !== undefined && equals !== -1) {
      settings.set(line.slice(0, equals).trim(), line.slice(equals + 1).trim());
    }
  }
  return settings;
}

async function readIfThere(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return '';
    throw new SluiceError('invalid_argument', `could not read the service file ${file}`, { cause: error });
  }
}
