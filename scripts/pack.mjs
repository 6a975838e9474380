// npm run pack [folder]: builds the packages and writes them as .tgz files, which npm can install, to a folder (by
// default dist). Prints their paths.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ensureBuilt, npm, ROOT } from './ensure-built.mjs';

const PACKAGES = ['sluice', 'local', 'fleet'];
/** The files that tsc writes for a source file. */
const OUTPUT = /\.(?:js|d\.ts|js\.map)$/;

const folder = resolve(process.argv[2] ?? join(ROOT, 'dist'));
ensureBuilt();
for (const name of PACKAGES) removeStale(join(ROOT, 'packages', name));
mkdirSync(folder, { recursive: true });
const { status, stdout, error } = spawnSync(
  npm(),
  ['pack', '--workspaces', '--json', '--ignore-scripts', '--pack-destination', folder],
  { cwd: ROOT, stdio: ['ignore', 'pipe', 2], encoding: 'utf8' },
);
if (error !== undefined) throw error;
if (status !== 0) process.exit(1);
for (const packed of Object.values(JSON.parse(stdout))) console.log(join(folder, fileName(packed)));

/** Removes the compiled files of sources that do not exist any more; tsc does not remove them. */
function removeStale(directory) {
  const dist = join(directory, 'dist');
  for (const file of readdirSync(dist, { recursive: true })) {
    if (!OUTPUT.test(file)) continue;
    const source = join(directory, 'src', file.replace(OUTPUT, '.ts'));
    if (!existsSync(source)) rmSync(join(dist, file));
  }
}

/** Versions of npm differ in how they print the name of a scoped package's file. */
function fileName({ filename }) {
  return filename.replace(/^@/, '').replaceAll('/', '-');
}
