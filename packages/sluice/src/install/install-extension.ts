import { randomBytes } from 'node:crypto';
import { access, chmod, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { errnoOf, SluiceError } from '../errors.ts';

export interface InstallExtensionOptions {
  /** PostgreSQL's share directory, as `pg_config --sharedir` prints it. */
  shareDirectory: string;
  /** True: only report what would be done. @default false */
  dryRun?: boolean;
}

export interface InstalledExtension {
  /** `<sharedir>/extension`. */
  directory: string;
  /** The names of the control and SQL files, in the order in which they were copied. */
  files: string[];
  /** False when dblink, which the extension needs, is not installed. */
  hasDblink: boolean;
}

/** The extension's files in this package. */
const SOURCE_DIRECTORY = fileURLToPath(new URL('../../extension/', import.meta.url));

/**
 * Copies the extensions aws_commons and aws_s3 into PostgreSQL's extension directory. Each file is replaced as a whole,
 * so that a CREATE EXTENSION at the same moment never reads half of one.
 *
 * @throws SluiceError `invalid_argument`: there is no such directory, or it is not writable
 */
export async function installExtension(
  { shareDirectory, dryRun = false }: InstallExtensionOptions,
  { signal }: { signal?: AbortSignal } = {},
): Promise<InstalledExtension> {
  const directory = join(shareDirectory, 'extension');
  await checkDirectory(directory);
  const names = await readdir(SOURCE_DIRECTORY);
  // The control file is copied last: PostgreSQL offers the extension as soon as it exists.
  const files = [
    ...names.filter((name) => name.endsWith('.sql')),
    ...names.filter((name) => name.endsWith('.control')),
  ];
  for (const file of files) {
    signal?.throwIfAborted();
    if (!dryRun) await putFile(join(SOURCE_DIRECTORY, file), join(directory, file));
  }
  const hasDblink = await access(join(directory, 'dblink.control')).then(
    () => true,
    () => false,
  );
  return { directory, files, hasDblink };
}

async function checkDirectory(directory: string): Promise<void> {
  const found = await stat(directory).catch(() => undefined);
  if (found?.isDirectory() === true) return;
  throw new SluiceError('invalid_argument', `there is no directory ${directory}`, {
    hint: 'A PostgreSQL server must be installed here. When there are several, name the pg_config of the right one with --pg-config.',
  });
}

async function putFile(from: string, to: string): Promise<void> {
  const temporary = `${to}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    await writeFile(temporary, await readFile(from), { flag: 'wx' });
    // PostgreSQL reads the file as another user, so the mode must not depend on our umask.
    await chmod(temporary, 0o644);
    await rename(temporary, to);
  } catch (cause) {
    throw cannotWrite(to, cause);
  } finally {
    await rm(temporary, { force: true });
  }
}

/** What to do when a file of the server can't be written. */
export function cannotWrite(file: string, cause: unknown): SluiceError {
  const code = errnoOf(cause);
  const isForbidden = code === 'EACCES' || code === 'EPERM';
  return new SluiceError('invalid_argument', `could not write ${file}`, {
    cause,
    detail: cause instanceof Error ? `${cause.message}.` : undefined,
    hint: isForbidden
      ? 'The directory belongs to the system: run the same command as root, e.g. with sudo.'
      : 'Is the file system full, or mounted read-only?',
  });
}
