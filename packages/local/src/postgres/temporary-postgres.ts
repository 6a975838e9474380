import { chmod, chown, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultCacheDirectory } from '../cache-directory.ts';
import { postgresOsUser } from '../process/os-user.ts';
import { startPostgres, type RunningPostgres } from './server.ts';
import { DEFAULT_POSTGRES_MAJOR, type PostgresMajor } from './versions.ts';

export interface TemporaryPostgresOptions {
  /** @default 18 */
  major?: PostgresMajor;
  /** Settings for the server's configuration file. */
  settings?: Readonly<Record<string, string>>;
  /** A folder of extension control and SQL files to add to the server's own. */
  extensionDirectory?: string;
}

export interface TemporaryPostgres extends RunningPostgres, AsyncDisposable {
  /** A folder in the system's temporary directory that PostgreSQL's user can enter. Removed at stop. */
  readonly directory: string;
  readonly logFile: string;
}

/** Starts a server for one test file: new data, no fsync, and everything is removed at stop. */
export async function startTemporaryPostgres(
  { major = DEFAULT_POSTGRES_MAJOR, ...rest }: TemporaryPostgresOptions = {},
  { signal }: { signal?: AbortSignal | undefined } = {},
): Promise<TemporaryPostgres> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-pg-'));
  const remove = () => rm(directory, { recursive: true, force: true });
  try {
    await chmod(directory, 0o711);
    const socketDirectory = join(directory, 'socket');
    await mkdir(socketDirectory, { mode: 0o700 });
    const osUser = postgresOsUser();
    if (osUser !== undefined) await chown(socketDirectory, osUser.uid, osUser.gid);
    const logFile = join(directory, 'postgres.log');
    const server = await startPostgres(
      {
        ...rest,
        major,
        dataDirectory: join(directory, 'data'),
        socketDirectory,
        logFile,
        password: 'test',
        durable: false,
        temporaryDirectories: [directory],
        cacheDirectory: defaultCacheDirectory(process.env),
        log: () => undefined,
      },
      { signal },
    );
    const stop: RunningPostgres['stop'] = async (options) => {
      await server.stop(options);
      await remove();
    };
    return { ...server, directory, logFile, stop, [Symbol.asyncDispose]: () => stop() };
  } catch (error) {
    await remove();
    throw error;
  }
}
