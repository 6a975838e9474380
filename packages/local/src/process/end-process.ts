import { systemErrorCode } from '../errors.ts';
import { waitUntil } from './wait-until.ts';

/** One step of ending a process: a signal, and how long to wait for its effect before the next step. */
export interface EndingStep {
  signal: NodeJS.Signals;
  waitMs: number;
}

/**
 * Sends the signals one after the other until the process has ended. `hurry` skips the first step, the gentle one, or
 * ends its waiting. Returns false when the process has survived all signals.
 */
export async function endProcess(
  pid: number,
  [gentle, ...hard]: readonly [EndingStep, ...EndingStep[]],
  hasEnded: () => boolean,
  hurry?: AbortSignal,
): Promise<boolean> {
  const isHurried = () => hurry?.aborted === true;
  if (!isHurried()) await takeStep(pid, gentle, hasEnded, isHurried);
  for (const step of hard) await takeStep(pid, step, hasEnded);
  return hasEnded();
}

async function takeStep(
  pid: number,
  { signal, waitMs }: EndingStep,
  hasEnded: () => boolean,
  isHurried: () => boolean = () => false,
): Promise<void> {
  if (hasEnded()) return;
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (systemErrorCode(error) !== 'ESRCH') throw error;
  }
  await waitUntil(() => hasEnded() || isHurried(), { timeoutMs: waitMs, everyMs: 20 });
}
