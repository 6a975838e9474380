const TICKS = 4;

/**
 * Calls `onExceeded` when the time is over; what is returned ends the waiting. Counted in ticks, so that an agent which
 * was stopped for a while (SIGSTOP, a sleeping host) and goes on does not find the time of everybody else over.
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
