import { createHash } from 'node:crypto';
import { chmod, chown, lstat, mkdir, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalError, systemErrorCode } from '../errors.ts';
import { firstClosedDirectory, type OsUser } from '../process/os-user.ts';

/** The shortest limit among the systems we run on: sun_path has 104 bytes on macOS, 108 on Linux. */
const MAX_SOCKET_PATH_BYTES = 103;

/**
 * The directory for the Unix sockets and named pipes of a running stack. Its path must be short because of the sockets.
 */
export interface RunDirectory {
  readonly path: string;
  /** The directory of PostgreSQL's socket. It belongs to PostgreSQL's user. */
  readonly postgres: string;
  /** The directory of the agent's socket and pipes. It belongs to PostgreSQL's user. */
  readonly agent: string;
  remove(): Promise<void>;
}

/**
 * Makes the run directory of a state directory. Its path is always the same, so that the extension finds the agent
 * after a restart. What an earlier run left in it is removed; the caller holds the lock of the state directory.
 */
export async function makeRunDirectory(
  stateDirectory: string,
  osUser: OsUser | undefined,
): Promise<RunDirectory> {
  const path = join(await baseDirectory(osUser), nameFor(stateDirectory));
  await makeOwnDirectory(path);
  const remove = () => rm(path, { recursive: true, force: true });
  try {
    for (const left of await readdir(path)) await rm(join(path, left), { recursive: true, force: true });
    const directories = { postgres: join(path, 'postgres'), agent: join(path, 'agent') };
    for (const directory of Object.values(directories)) {
      await mkdir(directory, { mode: 0o700 });
      if (osUser !== undefined) await chown(directory, osUser.uid, osUser.gid);
    }
    return { path, ...directories, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

function nameFor(stateDirectory: string): string {
  const hash = createHash('sha256').update(stateDirectory).digest('hex').slice(0, 12);
  return `sluice-${process.getuid?.() ?? 0}-${hash}`;
}

/** The system's temporary directory, unless its path is too long or PostgreSQL's user can't enter it. */
async function baseDirectory(osUser: OsUser | undefined): Promise<string> {
  const longest = join(tmpdir(), nameFor(''), 'postgres', '.s.PGSQL.65535.lock');
  const closed = await firstClosedDirectory(tmpdir(), osUser);
  return closed === undefined && Buffer.byteLength(longest) <= MAX_SOCKET_PATH_BYTES ? tmpdir() : '/tmp';
}

/** Everybody may make files in the parent directory, so a directory that belongs to another user is never used. */
async function makeOwnDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o711 });
  } catch (error) {
    if (systemErrorCode(error) !== 'EEXIST') throw error;
    const found = await lstat(path);
    if (!found.isDirectory() || found.uid !== process.getuid?.()) {
      throw new LocalError('directory_unusable', `${path} exists, but is not a directory of ours`, {
        hint: 'It may have been made by somebody else on this machine: look at it, and remove it.',
      });
    }
  }
  await chmod(path, 0o711);
}
