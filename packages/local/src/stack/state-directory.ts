import { createHash } from 'node:crypto';
import { chmod, chown, mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { LocalError, systemErrorCode } from '../errors.ts';
import { exists } from '../files/exists.ts';
import { firstClosedDirectory, type OsUser } from '../process/os-user.ts';
import { saveState, type State } from './state.ts';

/** Where root keeps PostgreSQL's data when PostgreSQL's user can't enter the state directory. */
const OPEN_DATA_ROOT = '/var/lib/sluice/local';

export interface StateDirectory {
  /** Absolute and without symbolic links. */
  readonly path: string;
  /** Removed at stop. */
  readonly isTemporary: boolean;
}

export async function makeStateDirectory(
  dir: string | undefined,
  osUser: OsUser | undefined,
): Promise<StateDirectory> {
  // Others may pass through it when PostgreSQL runs as another user, who must reach the data. The files inside are
  // closed one by one.
  const mode = osUser === undefined ? 0o700 : 0o711;
  if (dir === undefined) {
    const path = await realpath(await mkdtemp(join(tmpdir(), 'sluice-local-')));
    await chmod(path, mode);
    await makeParts(path);
    return { path, isTemporary: true };
  }
  try {
    const isNew = (await mkdir(dir, { recursive: true })) !== undefined;
    if (isNew) await chmod(dir, mode);
    const path = await realpath(dir);
    // The directory contains keys and data, which must not be committed.
    if (isNew) await writeFile(join(path, '.gitignore'), '*\n');
    await makeParts(path);
    return { path, isTemporary: false };
  } catch (error) {
    throw new LocalError('directory_unusable', `the directory ${dir} cannot be used`, {
      cause: error,
      detail: error instanceof Error ? error.message : undefined,
      hint: 'Choose another one with --dir.',
    });
  }
}

async function makeParts(path: string): Promise<void> {
  for (const part of ['logs', 'agent', 'aws'])
    await mkdir(join(path, part), { recursive: true, mode: 0o700 });
}

/** The directory of PostgreSQL's data: in the state directory, or elsewhere when PostgreSQL's user can't enter that. */
export async function findDataDirectory(
  stateDirectory: string,
  state: State,
  osUser: OsUser | undefined,
  log: (line: string) => void,
): Promise<string> {
  const inside = join(stateDirectory, 'postgres', 'data');
  const remembered = state.postgres.dataDirectory;
  if (remembered === undefined) {
    await mkdir(join(stateDirectory, 'postgres'), { recursive: true });
    if (osUser !== undefined) await chmod(join(stateDirectory, 'postgres'), 0o711);
    const closed = await firstClosedDirectory(join(stateDirectory, 'postgres'), osUser);
    if (closed === undefined) return inside;
    if (await exists(inside)) {
      throw new LocalError(
        'directory_unusable',
        `PostgreSQL's user cannot reach its data in ${inside}: ${closed} is closed`,
        {
          hint: `Open it (chmod o+x ${closed}), or choose another directory with --dir.`,
        },
      );
    }
  }
  const parent =
    remembered === undefined ? join(OPEN_DATA_ROOT, nameFor(stateDirectory)) : join(remembered, '..');
  await openParent(parent);
  await claim(parent, stateDirectory);
  const directory = join(parent, 'data');
  if (remembered === undefined) {
    await saveState(stateDirectory, { ...state, postgres: { ...state.postgres, dataDirectory: directory } });
  }
  log(`${stateDirectory} is closed to PostgreSQL's user, so the data lies in ${directory}`);
  return directory;
}

/** Removes a temporary state directory, and the data if that is elsewhere. */
export async function removeState(stateDirectory: string, dataDirectory: string | undefined): Promise<void> {
  await rm(stateDirectory, { recursive: true, force: true });
  if (dataDirectory?.startsWith(`${OPEN_DATA_ROOT}/`) === true) {
    await rm(join(dataDirectory, '..'), { recursive: true, force: true });
  }
}

function nameFor(stateDirectory: string): string {
  const hash = createHash('sha256').update(stateDirectory).digest('hex').slice(0, 12);
  return `${basename(stateDirectory).replaceAll(/[^A-Za-z0-9_-]/g, '')}-${hash}`;
}

async function openParent(parent: string): Promise<void> {
  for (const directory of ['/var/lib/sluice', OPEN_DATA_ROOT, parent]) {
    const made = await mkdir(directory, { recursive: true });
    if (made !== undefined) await chmod(directory, 0o711);
    await chown(directory, 0, 0);
  }
}

/**
 * Two copies of one state directory (cp -r) must not use the same data: it belongs to the first as long as that exists.
 */
async function claim(parent: string, stateDirectory: string): Promise<void> {
  const file = join(parent, 'owner');
  const owner = await readFile(file, 'utf8').catch((error: unknown) => {
    if (systemErrorCode(error) === 'ENOENT') return stateDirectory;
    throw error;
  });
  if (owner !== stateDirectory && (await exists(join(owner, 'state.json')))) {
    throw new LocalError(
      'directory_unusable',
      `the data in ${parent} belongs to the local stack in ${owner}`,
      {
        hint: `${stateDirectory} is a copy of it: choose another directory with --dir.`,
      },
    );
  }
  await writeFile(file, stateDirectory, { mode: 0o600 });
}
