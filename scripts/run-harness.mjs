// Runs one test file of test/faults at full length. Its options are passed as environment variables.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureBuilt, ROOT } from './ensure-built.mjs';

/**
 * @param file below test/faults
 * @param variables the environment variable of each option, and its default
 */
export function runHarness(file, variables) {
  const options = Object.fromEntries(Object.keys(variables).map((name) => [name, { type: 'string' }]));
  const { values } = parseArgs({ options });
  const environment = { ...process.env };
  for (const [name, { variable, byDefault }] of Object.entries(variables)) {
    const value = values[name] ?? byDefault;
    if (value === undefined) continue;
    if (!/^\d+$/.test(value)) {
      console.error(`--${name} ${value}: expected a whole number`);
      process.exit(2);
    }
    environment[variable] = value;
  }
  ensureBuilt();
  const { status, error } = spawnSync(
    process.execPath,
    [
      join(ROOT, 'node_modules', 'vitest', 'vitest.mjs'),
      'run',
      '--project',
      'acceptance',
      '--project',
      'long',
      join('test', 'faults', file),
      // This must be the last option: vitest would read the next argument as its value.
      '--disable-console-intercept',
    ],
    { cwd: ROOT, stdio: 'inherit', env: environment },
  );
  if (error !== undefined) throw error;
  process.exitCode = status ?? 1;
}
