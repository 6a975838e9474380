import { systemErrorCode } from '../errors.ts';
import { waitUntil } from './wait-until.ts';

/** One step of ending a process: a signal, and how long to wait for its effect before the next step. */
export interface EndingStep {
  signal: NodeJS.Signals;
  waitMs: number;
}

/**
 * Sends one signal after the other until the process is gone. The first step is the gentle one: `hurry` ends its
 * waiting, or skips it. Returns false when the process outlived them all.
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
