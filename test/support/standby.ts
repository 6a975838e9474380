import { cp, chmod, chown, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startLocal, startPostgres, type RunningPostgres } from '@sluice/local';
import pg from 'pg';
import { defaultCacheDirectory } from '../../packages/local/src/cache-directory.ts';
import { POSTGRES_MAJOR, TestStack } from './test-stack.ts';

/** A copy of a stopped server's data, with which a hot standby of it can be started. */
export class StandbyData {
  readonly #directory: string;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  static async copyOf(dataDirectory: string): Promise<StandbyData> {
    const { uid, gid } = await stat(dataDirectory);
    const directory = await mkdtemp(join(tmpdir(), 'sluice-standby-'));
    await chmod(directory, 0o711);
    const data = join(directory, 'data');
    await cp(dataDirectory, data, { recursive: true });
    await writeFile(join(data, 'standby.signal'), '');
    await mkdir(join(directory, 'socket'));
    for (const name of await readdir(directory, { recursive: true })) {
      await chown(join(directory, name), uid, gid);
    }
    await chmod(data, 0o700);
    return new StandbyData(directory);
  }

  /** Starts the standby, which follows the primary at that URL. */
  start(primaryUrl: string): Promise<RunningPostgres> {
    const { hostname, port, username, password } = new URL(primaryUrl);
    const conninfo = `host=${hostname} port=${port} user=${username} password=${decodeURIComponent(password)}`;
    return startPostgres({
      major: POSTGRES_MAJOR,
      dataDirectory: join(this.#directory, 'data'),
      socketDirectory: join(this.#directory, 'socket'),
      logFile: join(this.#directory, 'log'),
      password: decodeURIComponent(password),
      durable: false,
      settings: { primary_conninfo: conninfo },
      extensionDirectory: join(import.meta.dirname, '../../packages/sluice/extension'),
      cacheDirectory: defaultCacheDirectory(process.env),
      temporaryDirectories: [this.#directory],
      log: () => undefined,
    });
  }

  remove(): Promise<void> {
    return rm(this.#directory, { recursive: true, force: true });
  }
}

/** A stack, and a hot standby of its server. */
export class StackWithStandby {
  readonly testStack: TestStack;
  readonly standby: RunningPostgres;
  readonly #data: StandbyData;
  readonly #directory: string;

  private constructor(testStack: TestStack, standby: RunningPostgres, data: StandbyData, directory: string) {
    this.testStack = testStack;
    this.standby = standby;
    this.#data = data;
    this.#directory = directory;
  }

  /** @param settings of the primary that need a server which starts, as SQL */
  static async start(settings: readonly string[] = []): Promise<StackWithStandby> {
    const directory = await mkdtemp(join(tmpdir(), 'sluice-with-standby-'));
    const options = { dir: join(directory, 'stack'), durable: false, pgVersion: POSTGRES_MAJOR };
    // A copy of the data needs a server that is stopped.
    await using first = await startLocal(options);
    const setUp = new pg.Client({ connectionString: first.postgres.url });
    await setUp.connect();
    for (const setting of settings) await setUp.query(setting);
    const { rows } = await setUp.query<{ data_directory: string }>('SHOW data_directory');
    await setUp.end();
    await first.stop();
    const data = await StandbyData.copyOf(rows[0]?.data_directory ?? '');
    const testStack = await TestStack.start(options);
    return new StackWithStandby(testStack, await data.start(testStack.stack.postgres.url), data, directory);
  }

  /** Waits until the standby has what the primary has. */
  async caughtUp(): Promise<void> {
    const primary = await this.testStack.connect();
    const { rows } = await primary.query<{ lsn: string }>('SELECT pg_current_wal_insert_lsn() AS lsn');
    await primary.end();
    const watcher = new pg.Client({ connectionString: this.standby.url });
    await watcher.connect();
    const isThere = async () =>
      (
        await watcher.query<{ done: boolean }>('SELECT pg_last_wal_replay_lsn() >= $1::pg_lsn AS done', [
          rows[0]?.lsn,
        ])
      ).rows[0]?.done;
    while (!(await isThere())) await delay(20);
    await watcher.end();
  }

  async stop(): Promise<void> {
    await this.standby.stop();
    await this.#data.remove();
    await this.testStack.stop();
    await rm(this.#directory, { recursive: true, force: true });
  }
}
