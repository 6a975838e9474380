import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startPostgres, type RunningPostgres } from '@sluice/local';
import pg from 'pg';
import { defaultCacheDirectory } from '../../packages/local/src/cache-directory.ts';
import { POSTGRES_MAJOR, type TestStack } from '../support/test-stack.ts';

const UP_TIMEOUT_MS = 60_000;
const POLL_MS = 50;

/** The stack's PostgreSQL, which can be shut down and started again on the same port and data. */
export class OwnServer {
  readonly #testStack: TestStack;
  readonly #socketDirectory: string;
  readonly dataDirectory: string;
  /** The server that was started here; the first one is the stack's. */
  #restarted: RunningPostgres | undefined;

  private constructor(testStack: TestStack, places: { data_directory: string; sockets: string }) {
    this.#testStack = testStack;
    this.dataDirectory = places.data_directory;
    this.#socketDirectory = places.sockets;
  }

  static async of(testStack: TestStack): Promise<OwnServer> {
    const client = await testStack.connect();
    const { rows } = await client.query<{ data_directory: string; sockets: string }>(
      `SELECT current_setting('data_directory') AS data_directory,
         trim('"' FROM current_setting('unix_socket_directories')) AS sockets`,
    );
    await client.end();
    const places = rows[0];
    if (places === undefined) throw new Error('PostgreSQL does not say where it is');
    return new OwnServer(testStack, places);
  }

  get url(): string {
    return this.#testStack.stack.postgres.url;
  }

  async connect(user?: { name: string; password: string }, url = this.url): Promise<pg.Client> {
    const target = new URL(url);
    if (user !== undefined) {
      target.username = user.name;
      target.password = user.password;
    }
    const client = new pg.Client({ connectionString: target.href });
    // A session that is ended on purpose must not end the test run.
    client.on('error', () => undefined);
    await client.connect();
    return client;
  }

  /** The process id of the postmaster. */
  async postmasterPid(): Promise<number> {
    return Number((await readFile(join(this.dataDirectory, 'postmaster.pid'), 'utf8')).split('\n')[0]);
  }

  /** Waits until the server has ended. */
  async ended(): Promise<void> {
    const deadline = Date.now() + UP_TIMEOUT_MS;
    while (await this.postmasterPid().then(isAlive, () => false)) {
      if (Date.now() > deadline) throw new Error('PostgreSQL does not end');
      await delay(POLL_MS);
    }
  }

  async restart(): Promise<void> {
    const { port, password } = this.#testStack.stack.postgres;
    this.#restarted = await startPostgres({
      major: POSTGRES_MAJOR,
      dataDirectory: this.dataDirectory,
      socketDirectory: this.#socketDirectory,
      logFile: join(this.#testStack.stack.directory, 'logs', 'postgres.log'),
      password,
      port,
      durable: false,
      extensionDirectory: join(import.meta.dirname, '../../packages/sluice/extension'),
      cacheDirectory: defaultCacheDirectory(process.env),
      log: () => undefined,
    });
    if (this.#restarted.port !== port) throw new Error('another server took the port of PostgreSQL');
  }

  /** Waits until the server accepts connections: recovery after a crash takes a moment. */
  async isUp(): Promise<void> {
    const deadline = Date.now() + UP_TIMEOUT_MS;
    for (;;) {
      try {
        await (await this.connect()).end();
        return;
      } catch (error) {
        if (Date.now() > deadline) throw error;
      }
      await delay(POLL_MS);
    }
  }

  /** Waits until a backend has ended. A backend whose client is gone notices that only when it sends something. */
  async backendEnded(pid: number, boundMs: number): Promise<boolean> {
    const deadline = Date.now() + boundMs;
    const client = await this.connect();
    try {
      for (;;) {
        const { rowCount } = await client.query('SELECT FROM pg_stat_activity WHERE pid = $1', [pid]);
        if (rowCount === 0) return true;
        if (Date.now() > deadline) return false;
        await delay(POLL_MS);
      }
    } finally {
      await client.end();
    }
  }

  /** Stops the server that was started here. */
  async stop(): Promise<void> {
    await this.#restarted?.stop();
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
