import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

/** Whether a program is installed. With SLUICE_REQUIRE_CLIENTS=1 (in CI), a missing program is an error. */
export function hasClient(name: 'psql' | 'pg_dump' | 'aws' | 'redis-server'): boolean {
  const found = spawnSync(name, ['--version'], { stdio: 'ignore' }).status === 0;
  if (!found && process.env['SLUICE_REQUIRE_CLIENTS'] === '1') {
    throw new Error(`${name} is not on PATH, and SLUICE_REQUIRE_CLIENTS=1 asks for it`);
  }
  return found;
}

export interface Finished {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** Runs a program to its end. Not synchronously, because the local AWS that it may call runs in this process. */
export async function runClient(
  name: string,
  args: readonly string[],
  { input = '', env = {} }: { input?: string; env?: Readonly<Record<string, string>> } = {},
): Promise<Finished> {
  const child = spawn(name, args, { env: { ...process.env, ...env } });
  child.stdin.end(input);
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { status: child.exitCode, stdout, stderr };
}
