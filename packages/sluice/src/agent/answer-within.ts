import { setTimeout as delay } from 'node:timers/promises';

/**
 * Every request is answered within this time, with "pending" if it is not done: PostgreSQL checks for a cancel only
 * between requests.
 */
const ANSWER_WITHIN_MS = 500;

/** True when the promise has resolved or rejected within ANSWER_WITHIN_MS. */
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
