// npm test: builds what is missing, runs the tests (arguments are passed to vitest; without any, all but the project
// `long`), and says which were left out, also because a client is not in PATH. With SLUICE_REQUIRE_CLIENTS=1, a missing client is an error.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, readFileSync, rmSync, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { ensureBuilt, ROOT } from './ensure-built.mjs';

const CLIENTS = {
  psql: "the guide's statements typed in psql (Debian: apt-get install postgresql-client)",
  'redis-server': 'exports on a fleet (Debian: apt-get install redis-server)',
  aws: 'the aws command line against the local AWS (Debian: apt-get install awscli)',
};

const named = process.argv.slice(2);
const isWhole = named.length === 0;

ensureBuilt();
const missing = Object.keys(CLIENTS).filter((name) => !isOnPath(name));
if (missing.length > 0 && process.env.SLUICE_REQUIRE_CLIENTS === '1') {
  console.error(`Not on PATH: ${missing.join(', ')}; SLUICE_REQUIRE_CLIENTS=1 asks for them.`);
  process.exit(1);
}

// In node_modules, because Ctrl-C can leave the report behind, and there it is out of the way.
const report = join(ROOT, 'node_modules', `.sluice-test-report-${process.pid}.json`);
try {
  process.exitCode = runTests(report);
} finally {
  rmSync(report, { force: true });
}

function runTests(reportFile) {
  const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${reportFile}`];
  const { status, signal, error } = spawnSync(
    process.execPath,
    [vitest, 'run', ...reporters, ...(isWhole ? ['--project=!long'] : named)],
    { cwd: ROOT, stdio: 'inherit' },
  );
  if (error !== undefined) throw error;
  const ran = summarise(reportFile);
  if (isWhole) console.log('Left out, since they take long: npm run test:long');
  for (const name of missing) console.log(`Left out, since ${name} is not on PATH: ${CLIENTS[name]}`);
  if (process.getuid?.() !== 0)
    console.log('Left out, since only root can be two users: other users of the host; a stack of root');
  if (ran !== undefined) console.log(ran.line);
  if (signal !== null) return 1;
  // A run without any passed test counts as failed.
  return status === 0 && (ran?.passed ?? 0) === 0 ? 1 : (status ?? 1);
}

function summarise(reportFile) {
  try {
    const { numPassedTests, numFailedTests, numPendingTests, numFailedTestSuites } = JSON.parse(
      readFileSync(reportFile, 'utf8'),
    );
    // If a file can't be loaded, its suite fails, but no single test does.
    const failed = numFailedTests > 0 ? numFailedTests : numFailedTestSuites;
    const skipped = numPendingTests > 0 ? `, ${numPendingTests} skipped` : '';
    return { passed: numPassedTests, line: `${numPassedTests} passed, ${failed} failed${skipped}` };
  } catch {
    return undefined;
  }
}

function isOnPath(name) {
  return (process.env.PATH ?? '').split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, name), constants.X_OK);
      return statSync(join(directory, name)).isFile();
    } catch {
      return false;
    }
  });
}
