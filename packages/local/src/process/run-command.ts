import { spawn } from 'node:child_process';
import type { OsUser } from './os-user.ts';

export interface CommandResult {
  status: number | null;
  /** Standard output and standard error, in the order in which they came. */
  output: string;
}

export interface CommandOptions {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  osUser?: OsUser | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Runs a program to its end and collects its output. Rejects only when it can't be started, or is aborted; in the
 * latter case only after the program, and every process that still has its output open, has ended.
 */
export function runCommand(
  program: string,
  args: readonly string[],
  { cwd, env, osUser, signal }: CommandOptions = {},
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const child = spawn(program, args, { cwd, env, ...osUser, stdio: ['ignore', 'pipe', 'pipe'] });
    const onAbort = () => child.kill('SIGTERM');
    signal?.addEventListener('abort', onAbort, { once: true });
    let output = '';
    const collect = (chunk: Buffer) => {
      output += chunk.toString('utf8');
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.once('error', reject);
    child.once('close', (status) => {
      signal?.removeEventListener('abort', onAbort);
      if (signal?.aborted === true) reject(signal.reason);
      else resolve({ status, output });
    });
  });
}
