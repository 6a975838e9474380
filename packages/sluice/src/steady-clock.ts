import { performance } from 'node:perf_hooks';

/**
 * Milliseconds since 1970 as the clock said when the process began, and since then as time has passed: comparing two of
 * them is right, whether or not somebody has set the clock in between.
 */
export function steadyNow(): number {
  return performance.timeOrigin + performance.now();
}
