import { createHash } from 'node:crypto';
import {
  chmod,
  copyFile,
  link,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { join, relative } from 'node:path';
import { LocalError, systemErrorCode } from '../errors.ts';
import { exists } from '../files/exists.ts';
import { firstClosedDirectory, postgresOsUser } from '../process/os-user.ts';
import { ensureBaseCopy, renameUnlessMade } from './base-copy.ts';
import { postgresRelease, type PostgresMajor } from './versions.ts';

export interface InstallationOptions {
  major: PostgresMajor;
  /** Copies of binaries are kept here. */
  cacheDirectory: string;
  /** A folder of extension control and SQL files to add to the server's own. */
  extensionDirectory?: string | undefined;
  log: (line: string) => void;
}

/** A folder with the `bin`, `lib` and `share` of one PostgreSQL, and our extension files in it. */
export interface Installation {
  release: string;
  directory: string;
  /** The full path of one of the server's programs. */
  program(name: 'postgres' | 'initdb'): string;
}

/**
 * The installation `<cache>/postgresql-<release>-<hash of the extension files>`, made when it is missing.
 *
 * All versions look for extensions in `share/postgresql/extension` (only PostgreSQL 18 has `extension_control_path`).
 * So each set of extension files has its own installation, and two clones of the repository do not disturb each other.
 * An installation is small: the programs are hard links, because PostgreSQL looks for `lib` and `share` beside its
 * program's real path, and everything else except the extension files is a symbolic link into the base copy.
 */
export async function ensureInstallation(
  options: InstallationOptions,
  { signal }: { signal?: AbortSignal | undefined } = {},
): Promise<Installation> {
  const release = postgresRelease(options.major);
  const cacheDirectory = await openCacheDirectory(options.cacheDirectory);
  const extensionFiles = await readExtensionFiles(options.extensionDirectory);
  const directory = join(cacheDirectory, `postgresql-${release}-${hashOf(extensionFiles)}`);
  const installation = { release, directory, program: (name: string) => join(directory, 'bin', name) };
  // `exists` follows the symbolic link: if the base copy was removed, the installation is made again.
  if (await exists(join(directory, 'lib', 'postgresql'))) return installation;

  const base = await ensureBaseCopy({ release, cacheDirectory, log: options.log }, { signal });
  if (await exists(join(directory, 'lib', 'postgresql'))) return installation;
  const work = await mkdtemp(join(cacheDirectory, '.tree-'));
  try {
    const tree = join(work, 'tree');
    await makeTree(base, tree, directory, extensionFiles);
    await renameUnlessMade(tree, directory);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return installation;
}

async function openCacheDirectory(path: string): Promise<string> {
  try {
    await mkdir(path, { recursive: true, mode: 0o755 });
  } catch (error) {
    throw new LocalError('directory_unusable', `the cache directory ${path} cannot be made`, {
      cause: error,
      detail: error instanceof Error ? error.message : undefined,
      hint: 'Name another one with SLUICE_CACHE_DIR.',
    });
  }
  const closed = await firstClosedDirectory(path, postgresOsUser());
  if (closed !== undefined) {
    throw new LocalError(
      'directory_unusable',
      `the cache directory ${path} lies under ${closed}, which is closed to others`,
      {
        detail:
          'Started by root, PostgreSQL runs as an unprivileged user, who must be able to read its programs there.',
        hint: 'Name another one with SLUICE_CACHE_DIR, or leave it unset.',
      },
    );
  }
  return path;
}

type ExtensionFiles = ReadonlyMap<string, Buffer>;

async function readExtensionFiles(directory: string | undefined): Promise<ExtensionFiles> {
  const files = new Map<string, Buffer>();
  if (directory === undefined) return files;
  const names = await readdir(directory).catch((error: unknown) => {
    if (systemErrorCode(error) === 'ENOENT') return [];
    throw error;
  });
  for (const name of names.toSorted((a, b) => (a < b ? -1 : 1))) {
    if (/\.(?:control|sql)$/.test(name)) files.set(name, await readFile(join(directory, name)));
  }
  return files;
}

function hashOf(files: ExtensionFiles): string {
  const hash = createHash('sha256');
  for (const [name, content] of files) hash.update(`${name}\0${content.length}\0`).update(content);
  return hash.digest('hex').slice(0, 12);
}

/** @param finalTree where the tree will be renamed to; its relative symbolic links must be correct from there */
async function makeTree(
  base: string,
  tree: string,
  finalTree: string,
  extensionFiles: ExtensionFiles,
): Promise<void> {
  for (const part of ['', 'bin', 'share', 'share/postgresql', 'share/postgresql/extension']) {
    await mkdir(join(tree, part));
    await chmod(join(tree, part), 0o755);
  }
  for (const name of await readdir(join(base, 'bin'))) {
    const [from, to] = [join(base, 'bin', name), join(tree, 'bin', name)];
    await link(from, to).catch(() => copyFile(from, to));
  }
  const linkInto = async (part: string) => {
    await symlink(relative(join(finalTree, part, '..'), join(base, part)), join(tree, part));
  };
  await linkInto('lib');
  for (const name of await readdir(join(base, 'share/postgresql'))) {
    if (name !== 'extension') await linkInto(`share/postgresql/${name}`);
  }
  for (const name of await readdir(join(base, 'share/postgresql/extension'))) {
    if (!extensionFiles.has(name)) await linkInto(`share/postgresql/extension/${name}`);
  }
  for (const [name, content] of extensionFiles) {
    const target = join(tree, 'share/postgresql/extension', name);
    await writeFile(target, content);
    await chmod(target, 0o644);
  }
}
