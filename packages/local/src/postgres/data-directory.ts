import { randomBytes } from 'node:crypto';
import { chown, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { LocalError, systemErrorCode } from '../errors.ts';
import { runCommand } from '../process/run-command.ts';
import type { OsUser } from '../process/os-user.ts';
import { POSTGRES_ENVIRONMENT } from './environment.ts';
import { includeSettingsFile } from './settings-file.ts';
import type { Installation } from './installation.ts';
import type { PostgresMajor } from './versions.ts';

export interface DataDirectoryOptions {
  installation: Installation;
  major: PostgresMajor;
  /** Absolute. Its parent exists, and `osUser` can pass through it. */
  directory: string;
  /** Of the superuser `postgres`. */
  password: string;
  osUser: OsUser | undefined;
  /** False: do not sync to disk. */
  durable: boolean;
}

/** Whether there is a data directory already. When there is, checks that this PostgreSQL can use it. */
export async function findDataDirectory({
  directory,
  major,
  osUser,
}: Pick<DataDirectoryOptions, 'directory' | 'major' | 'osUser'>): Promise<boolean> {
  const found = await readFile(join(directory, 'PG_VERSION'), 'utf8').catch((error: unknown) => {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw new LocalError('directory_unusable', `the data directory ${directory} cannot be read`, {
      cause: error,
    });
  });
  if (found === undefined) return false;
  if (found.trim() !== String(major)) {
    throw new LocalError(
      'directory_unusable',
      `the data in ${directory} belongs to PostgreSQL ${found.trim()}, not ${major}`,
      { hint: `Start with --pg-version ${found.trim()}, or choose another directory with --dir.` },
    );
  }
  await checkOwner(directory, osUser);
  return true;
}

async function checkOwner(directory: string, osUser: OsUser | undefined): Promise<void> {
  const { uid } = await stat(directory);
  const expected = osUser?.uid ?? process.getuid?.() ?? uid;
  if (uid !== expected) {
    throw new LocalError(
      'directory_unusable',
      `the data directory ${directory} belongs to user ${uid}, but PostgreSQL runs as ${expected}`,
      {
        hint: 'Start as the user who made it, or choose another directory with --dir.',
      },
    );
  }
}

/** Runs initdb in a directory with a temporary name, so that an interrupted initdb is never taken for a database. */
export async function makeDataDirectory(
  options: DataDirectoryOptions,
  { signal }: { signal?: AbortSignal | undefined } = {},
): Promise<void> {
  const { installation, directory, osUser } = options;
  await removeUnfinished(dirname(directory));
  const mark = randomBytes(4).toString('hex');
  const work = join(dirname(directory), `.initdb-${mark}`);
  const passwordFile = join(dirname(directory), `.password-${mark}`);
  try {
    await mkdir(work, { mode: 0o700 });
    await writeFile(passwordFile, `${options.password}\n`, { mode: 0o600, flag: 'wx' });
    if (osUser !== undefined) {
      await chown(work, osUser.uid, osUser.gid);
      await chown(passwordFile, osUser.uid, osUser.gid);
    }
    const args = initdbArguments(options, work, passwordFile);
    const { status, output } = await runCommand(installation.program('initdb'), args, {
      cwd: '/',
      env: POSTGRES_ENVIRONMENT,
      osUser,
      signal,
    }).catch((error: unknown) => {
      throw signal?.aborted === true ? error : cannotRun(installation, error);
    });
    if (status !== 0) {
      throw new LocalError('postgres_failed', 'initdb failed', {
        detail: output.trim(),
        hint: output.includes('could not look up effective user ID')
          ? 'PostgreSQL asks for the name of the user who runs it: add one to /etc/passwd, or start as root.'
          : undefined,
      });
    }
    await includeSettingsFile(work);
    await rename(work, directory);
  } finally {
    await rm(passwordFile, { force: true });
    await rm(work, { recursive: true, force: true });
  }
}

/** Removes what a run left that was killed during initdb. The caller holds the lock of the state directory. */
async function removeUnfinished(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    if (!/^\.(?:initdb|password)-/.test(name)) continue;
    await rm(join(parent, name), { recursive: true, force: true, maxRetries: 5 });
  }
}

function initdbArguments(
  { major, durable }: DataDirectoryOptions,
  directory: string,
  passwordFile: string,
): string[] {
  const args = ['-D', directory, '--username=postgres', `--pwfile=${passwordFile}`, '--auth=scram-sha-256'];
  args.push('--encoding=UTF8', '--locale=C', '--no-instructions');
  // PostgreSQL's builtin C.UTF-8 (17 and later): sorts by code point like C, but upper() and lower() work for all
  // letters.
  if (major >= 17) args.push('--locale-provider=builtin', '--builtin-locale=C.UTF-8');
  if (!durable) args.push('--no-sync');
  return args;
}

function cannotRun(installation: Installation, cause: unknown): LocalError {
  return new LocalError('binaries_unavailable', `${installation.program('initdb')} cannot be run`, {
    cause,
    detail: cause instanceof Error ? cause.message : undefined,
    hint: 'The binaries need glibc (not musl) on Linux, and a directory that is not mounted noexec; choose another with SLUICE_CACHE_DIR.',
  });
}
