import { cp, chmod, chown, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPostgres, type RunningPostgres } from '@sluice/local';
import { defaultCacheDirectory } from '../../packages/local/src/cache-directory.ts';
import { POSTGRES_MAJOR } from './test-stack.ts';

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
