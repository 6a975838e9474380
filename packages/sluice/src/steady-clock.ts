/**
 * Milliseconds since 1970, by the system clock when the process began plus the time that has passed since. Differences
 * are correct even if the system clock was set in between.
 */
export function steadyNow(): number {
  return performance.timeOrigin + performance.now();
}
