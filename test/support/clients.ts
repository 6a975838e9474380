import { spawnSync } from 'node:child_process';

/** Whether a program can be started. With SLUICE_REQUIRE_CLIENTS=1 (in CI) one that can't is an error. */
export function hasClient(name: 'psql' | 'aws' | 'pg_dump'): boolean {
  const found = spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0;
  if (!found && process.env['SLUICE_REQUIRE_CLIENTS'] === '1') {
    throw new Error(`${name} is not on PATH, and SLUICE_REQUIRE_CLIENTS=1 asks for it`);
  }
  return found;
}
