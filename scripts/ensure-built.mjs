// Installs and compiles what is missing or has changed, so that every other script works in a fresh clone. Needs only
// Node.js and npm, and prints nothing when there is nothing to do.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** Contains the hash of the package-lock.json from which node_modules was installed. */
const STAMP = join(ROOT, 'node_modules', '.sluice-lock-hash');

export function ensureBuilt() {
  checkNode();
  install();
  run('joining the SQL of the extension', process.execPath, [
    join(ROOT, 'packages', 'sluice', 'scripts', 'join-extension.mjs'),
  ]);
  run('compiling', process.execPath, [join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc'), '--build']);
}

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    fail(`Sluice needs Node.js 20.19 or newer; this is ${process.versions.node}.`);
  }
}

function install() {
  const lock = createHash('sha256')
    .update(readFileSync(join(ROOT, 'package-lock.json')))
    .digest('hex');
  const typescript = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  const installed = existsSync(STAMP) ? readFileSync(STAMP, 'utf8') : undefined;
  if (installed === lock && existsSync(typescript)) return;
  // npm install was run by hand: npm's own record in node_modules says whether it is as new as the lock file.
  if (installed === undefined && existsSync(typescript) && isAsNewAsLock()) {
    writeFileSync(STAMP, lock);
    return;
  }
  process.stderr.write('Installing packages (npm install) ...\n');
  // npm ci would refuse the lock file when a registry lacks optional packages of other platforms. npm install uses the
  // same versions, and --no-save leaves the lock file unchanged.
  run('npm install', npm(), ['install', '--no-save', '--no-audit', '--no-fund', '--loglevel=error']);
  writeFileSync(STAMP, lock);
}

function isAsNewAsLock() {
  try {
    const wanted = packagesOf(join(ROOT, 'package-lock.json'));
    const found = packagesOf(join(ROOT, 'node_modules', '.package-lock.json'));
    return Object.entries(wanted).every(
      ([path, { version, optional }]) =>
        path === '' || !path.startsWith('node_modules/') || optional || found[path]?.version === version,
    );
  } catch {
    return false;
  }
}

function packagesOf(file) {
  return JSON.parse(readFileSync(file, 'utf8')).packages;
}

/** The npm that belongs to this Node.js, or else the one in PATH. */
export function npm() {
  const beside = join(dirname(process.execPath), 'npm');
  return existsSync(beside) ? beside : 'npm';
}

function run(what, program, args) {
  const { status, error } = spawnSync(program, args, { cwd: ROOT, stdio: ['ignore', 2, 2] });
  if (error !== undefined) fail(`${what} could not be started: ${error.message}`);
  if (status !== 0) fail(`${what} failed.`);
}

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) ensureBuilt();
