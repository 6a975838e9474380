import { setTimeout as delay } from 'node:timers/promises';

/** A request is answered within this time, with "pending" if need be: PostgreSQL looks at a cancel in between. */
const ANSWER_WITHIN_MS = 500;

/** True when the promise is settled, whichever way, within the time in which a request is answered. */
export async function settlesInTime(promise: Promise<unknown>): Promise<boolean> {
  const timeout = new AbortController();
  const isSettled = promise.then(
    () => true,
    () => true,
  );
  const timer = delay(ANSWER_WITHIN_MS, false, { signal: timeout.signal }).catch(() => false);
  const result = await Promise.race([isSettled, timer]);
  timeout.abort();
  return result;
}
