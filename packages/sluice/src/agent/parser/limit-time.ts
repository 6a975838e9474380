const TICKS = 4;

/**
 * Calls `onExceeded` when the time is over; the returned function stops the timer. The time is counted in several
 * ticks: after a pause of the whole process (SIGSTOP, a sleeping host) only one tick is due at once, so not every
 * waiting job times out.
 */
export function limitTime(limitMs: number, onExceeded: () => void): () => void {
  let ticks = 0;
  const timer = setInterval(() => {
    ticks += 1;
    if (ticks < TICKS) return;
    clearInterval(timer);
    onExceeded();
  }, limitMs / TICKS);
  return () => clearInterval(timer);
}
