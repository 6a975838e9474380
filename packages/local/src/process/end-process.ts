import { systemErrorCode } from '../errors.ts';
import { waitUntil } from './wait-until.ts';

/** One step of ending a process: a signal, and how long to wait for its effect before the next step. */
export interface EndingStep {
  signal: NodeJS.Signals;
  waitMs: number;
}

/** Sends one signal after the other until the process is gone. Returns false when it outlived them all. */
export async function endProcess(
  pid: number,
  steps: readonly EndingStep[],
  hasEnded: () => boolean,
): Promise<boolean> {
  for (const { signal, waitMs } of steps) {
    if (hasEnded()) return true;
    try {
      process.kill(pid, signal);
    } catch (error) {
      if (systemErrorCode(error) !== 'ESRCH') throw error;
    }
    if (await waitUntil(hasEnded, { timeoutMs: waitMs, everyMs: 20 })) return true;
  }
  return hasEnded();
}
