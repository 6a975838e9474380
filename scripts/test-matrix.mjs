// npm run test:matrix: runs the tests that depend on the version of PostgreSQL, on every version or on those given: npm
// run test:matrix -- 14 18. All but the newest version are fetched from the npm registry on first use.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { ensureBuilt, ROOT } from './ensure-built.mjs';

const ALL = ['14', '15', '16', '17', '18'];

/**
 * The comparison of exports with COPY, all contexts, privileges, all errors, cancelling in every place, and exports from
 * outside: tables, their pieces, the snapshot that these are read on, and what can go wrong meanwhile.
 */
const TESTS = [
  'test/oracle',
  ...[
    'fidelity',
    'privileges',
    'two-sessions',
    'update',
    'hostile-sql',
    'hostile-agent',
    'hostile-clients',
    'errors',
    'cancel',
    'find-tables',
    'table-pieces',
    'split-by',
    'snapshot-keeper',
    'standby-source',
    'export-query',
    'export-faults',
  ].map((name) => `test/acceptance/${name}.test.ts`),
];

const named = process.argv.slice(2);
const unknown = named.filter((version) => !ALL.includes(version));
if (unknown.length > 0) {
  console.error(`There is no PostgreSQL ${unknown.join(', ')} here; there are ${ALL.join(', ')}.`);
  process.exit(2);
}
ensureBuilt();
const outcomes = (named.length === 0 ? ALL : named).map((version) => ({ version, passed: passes(version) }));
for (const { version, passed } of outcomes) {
  console.log(`PostgreSQL ${version}: ${passed ? 'passed' : 'FAILED'}`);
}
process.exitCode = outcomes.every(({ passed }) => passed) ? 0 : 1;

function passes(version) {
  console.log(`\nPostgreSQL ${version}`);
  const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
  const { status, error } = spawnSync(
    process.execPath,
    [vitest, 'run', '--project', 'acceptance', '--project', 'long', ...TESTS],
    {
      cwd: ROOT,
      stdio: 'inherit',
      env: { SLUICE_GENERATED_RUNS: '40', ...process.env, SLUICE_PG_VERSION: version },
    },
  );
  if (error !== undefined) throw error;
  return status === 0;
}
