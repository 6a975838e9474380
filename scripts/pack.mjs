// npm run pack [folder]: builds, and writes both packages as npm installs them (.tgz) to a folder, dist by default.
// Prints their paths.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ensureBuilt, npm, ROOT } from './ensure-built.mjs';

const PACKAGES = ['sluice', 'local'];
/** What tsc writes for a source. */
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

/** Removes what an earlier build made of sources that are no more: tsc leaves it. */
function removeStale(directory) {
  const dist = join(directory, 'dist');
  for (const file of readdirSync(dist, { recursive: true })) {
    if (!OUTPUT.test(file)) continue;
    const source = join(directory, 'src', file.replace(OUTPUT, '.ts'));
    if (!existsSync(source)) rmSync(join(dist, file));
  }
}

/** Versions of npm differ in whether a scope's slash is in the name that they print. */
function fileName({ filename }) {
  return filename.replace(/^@/, '').replaceAll('/', '-');
}
