import { readFile, realpath, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { LocalError } from '../errors.ts';
import { endProcess, type EndingStep } from '../process/end-process.ts';
import { commandLineOf, isProcessAlive } from '../process/identity.ts';

/** Fast shutdown, then immediate shutdown. https://www.postgresql.org/docs/current/server-shutdown.html */
export const POSTGRES_ENDING: readonly [EndingStep, ...EndingStep[]] = [
  { signal: 'SIGINT', waitMs: 15_000 },
  { signal: 'SIGQUIT', waitMs: 5000 },
  { signal: 'SIGKILL', waitMs: 5000 },
];

/**
 * Stops a server that an earlier run left on this data directory. Removes a postmaster.pid whose process id now belongs
 * to another program. The caller holds the lock of the state directory, so no other stack runs this server.
 */
export async function stopLeftoverServer(dataDirectory: string, log: (line: string) => void): Promise<void> {
  const pidFile = join(dataDirectory, 'postmaster.pid');
  const content = await readFile(pidFile, 'utf8').catch(() => '');
  const pid = Number.parseInt(content, 10);
  if (!Number.isSafeInteger(pid) || pid <= 1) return;

  const commandLine = await commandLineOf(pid);
  if (commandLine === undefined) return;
  const isPostgres = basename(commandLine[0] ?? '') === 'postgres';
  if (!isPostgres) {
    await rm(pidFile, { force: true });
    return;
  }
  const real = await realpath(dataDirectory);
  if (!commandLine.includes(dataDirectory) && !commandLine.includes(real)) return;
  log(`stopping the PostgreSQL that an earlier run left behind (process ${pid})`);
  if (!(await endProcess(pid, POSTGRES_ENDING, () => !isProcessAlive(pid)))) {
    throw new LocalError(
      'postgres_failed',
      `the PostgreSQL that an earlier run left behind (process ${pid}) does not stop`,
    );
  }
}
