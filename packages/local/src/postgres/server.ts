import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { Client } from 'pg';
import { LocalError } from '../errors.ts';
import { findFreePort, isPortTaken } from '../ports.ts';
import { endProcess } from '../process/end-process.ts';
import { attachLifeline } from '../process/lifeline.ts';
import { postgresOsUser } from '../process/os-user.ts';
import { waitUntil } from '../process/wait-until.ts';
import { findDataDirectory, makeDataDirectory } from './data-directory.ts';
import { POSTGRES_ENVIRONMENT } from './environment.ts';
import { ensureInstallation } from './installation.ts';
import { POSTGRES_ENDING, stopLeftoverServer } from './leftover-server.ts';
import { logTail } from './log-tail.ts';
import { writeSettingsFile } from './settings-file.ts';
import type { PostgresMajor } from './versions.ts';

/** Recovery after a crash may take a while. */
const START_TIMEOUT_MS = 120_000;

/** How often another port is tried: another program may take the free port before PostgreSQL listens on it. */
const FREE_PORT_TRIES = 5;

export interface PostgresOptions {
  major: PostgresMajor;
  /**
   * Absolute; created when missing. PostgreSQL's user (see `postgresOsUser`) must be able to pass through its parents.
   */
  dataDirectory: string;
  /** Must exist and belong to PostgreSQL's user; its path must be short enough for a Unix socket. */
  socketDirectory: string;
  /** Absolute. The server's log is added to it. */
  logFile: string;
  /** Of the superuser `postgres`. */
  password: string;
  /** Preferred port on 127.0.0.1; when it is taken, a free one is used, and `log` says so. @default any free port */
  port?: number | undefined;
  /** False: no fsync; a crash of the machine may destroy the data. @default true */
  durable?: boolean | undefined;
  /** Settings for the server's configuration file. */
  settings?: Readonly<Record<string, string>>;
  /** A folder of extension control and SQL files to add to the server's own. */
  extensionDirectory?: string | undefined;
  cacheDirectory: string;
  /** Directories to remove if this process is killed. @default none */
  temporaryDirectories?: readonly string[];
  log: (line: string) => void;
}

export interface RunningPostgres {
  readonly pid: number;
  readonly host: '127.0.0.1';
  readonly port: number;
  readonly user: 'postgres';
  readonly password: string;
  /** Of the database `postgres`, with the password. */
  readonly url: string;
  /** Resolves when the server has ended, for whatever reason. */
  readonly ended: Promise<void>;
  /** Ends all sessions and stops the server (fast shutdown); at once when `hurry` is aborted. Safe to call twice. */
  stop(options?: { hurry?: AbortSignal }): Promise<void>;
}

/** Starts a PostgreSQL server. It stops at the latest when this process ends. */
export async function startPostgres(
  options: PostgresOptions,
  { signal }: { signal?: AbortSignal | undefined } = {},
): Promise<RunningPostgres> {
  const { major, dataDirectory, password, durable = true, log } = options;
  const osUser = postgresOsUser();
  const place = { directory: dataDirectory, major, osUser };
  const hasData = await findDataDirectory(place);
  const installation = await ensureInstallation(options, { signal });
  await stopLeftoverServer(dataDirectory, log);
  if (!hasData) await makeDataDirectory({ ...place, installation, password, durable }, { signal });
  await writeSettingsFile(dataDirectory, options.settings ?? {}, osUser);

  const program = installation.program('postgres');
  const preferred = options.port ?? 0;
  if (preferred !== 0 && !(await isPortTaken(preferred))) {
    const server = await tryPort(options, program, preferred, signal);
    if (server !== 'port busy') return server;
  }
  for (let left = FREE_PORT_TRIES; left > 0; left -= 1) {
    const port = await findFreePort();
    const server = await tryPort(options, program, port, signal);
    if (server === 'port busy') continue;
    if (preferred !== 0) log(`port ${preferred} is taken, so PostgreSQL listens on ${port}`);
    return server;
  }
  throw new LocalError('port_busy', 'found no free port for PostgreSQL', {
    hint: 'Name one with --pg-port.',
  });
}

async function tryPort(
  options: PostgresOptions,
  program: string,
  port: number,
  signal: AbortSignal | undefined,
): Promise<RunningPostgres | 'port busy'> {
  await using logHandle = await open(options.logFile, 'a', 0o600);
  const { size: logStart } = await logHandle.stat();
  const child = spawn(program, serverArguments(options, port), {
    // In a session of its own: Ctrl-C in the terminal must not stop the server directly.
    detached: true,
    cwd: '/',
    env: POSTGRES_ENVIRONMENT,
    stdio: ['ignore', logHandle.fd, logHandle.fd],
    ...postgresOsUser(),
  });
  const server = superviseServer(child, options, port);
  try {
    await once(child, 'spawn', { signal });
    await untilReady(server, options, signal);
    return server;
  } catch (error) {
    await server.stop({ hurry: AbortSignal.abort() });
    if (signal?.aborted === true) throw signal.reason;
    const detail = await logTail(options.logFile, logStart);
    if (detail.includes('Address already in use')) return 'port busy';
    throw new LocalError('postgres_failed', 'PostgreSQL did not start', {
      cause: error,
      detail: detail === '' ? String(error) : detail,
      hint: `Its log is ${options.logFile}.`,
    });
  }
}

function serverArguments(options: PostgresOptions, port: number): string[] {
  const settings: Record<string, string> = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    // This setting is a list; the quotes keep a comma or a space from separating the path.
    unix_socket_directories: `"${options.socketDirectory}"`,
    logging_collector: 'off',
    log_destination: 'stderr',
    ...(options.durable === false && { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
  };
  const args = ['-D', options.dataDirectory];
  for (const [name, value] of Object.entries(settings)) args.push('-c', `${name}=${value}`);
  return args;
}

interface SupervisedServer extends RunningPostgres {
  hasEnded(): boolean;
}

function superviseServer(
  child: ChildProcess,
  { password, temporaryDirectories }: PostgresOptions,
  port: number,
): SupervisedServer {
  const pid = child.pid ?? 0;
  let ended = child.pid === undefined;
  const lifeline = ended ? undefined : attachLifeline(pid, 'INT', temporaryDirectories);
  const end = new Promise<void>((resolve) => {
    const finish = () => {
      ended = true;
      lifeline?.release();
      resolve();
    };
    child.once('exit', finish);
    child.once('error', finish);
  });
  return {
    pid,
    host: '127.0.0.1',
    port,
    user: 'postgres',
    password,
    url: `postgresql://postgres:${encodeURIComponent(password)}@127.0.0.1:${port}/postgres`,
    ended: end,
    hasEnded: () => ended,
    async stop({ hurry } = {}) {
      if (!(await endProcess(pid, POSTGRES_ENDING, () => ended, hurry))) {
        throw new LocalError('postgres_failed', `PostgreSQL (process ${pid}) does not stop`);
      }
    },
  };
}

/** Asks through the Unix socket, which only this server can have. */
async function untilReady(
  server: SupervisedServer,
  options: PostgresOptions,
  signal: AbortSignal | undefined,
) {
  let lastError: unknown;
  const ready = await waitUntil(
    async () => {
      if (server.hasEnded()) throw new Error('the server has ended');
      const client = new Client({
        host: options.socketDirectory,
        port: server.port,
        user: 'postgres',
        password: options.password,
        database: 'postgres',
        connectionTimeoutMillis: 5000,
      });
      client.on('error', (error) => (lastError = error));
      try {
        await client.connect();
        return true;
      } catch (error) {
        // 28P01: the password in the state is not that of the data directory. Waiting does not help.
        if (error instanceof Error && 'code' in error && error.code === '28P01') throw error;
        lastError = error;
        return false;
      } finally {
        await client.end().catch(() => undefined);
      }
    },
    { timeoutMs: START_TIMEOUT_MS, everyMs: 25, signal },
  );
  if (!ready) throw new Error(`no answer in ${START_TIMEOUT_MS / 1000} seconds`, { cause: lastError });
}
