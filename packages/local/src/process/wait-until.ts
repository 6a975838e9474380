import { setTimeout as sleep } from 'node:timers/promises';

export interface WaitOptions {
  timeoutMs: number;
  everyMs: number;
  signal?: AbortSignal | undefined;
}

/** Polls until `isTrue` gives true. Returns false when the time is over. */
export async function waitUntil(
  isTrue: () => boolean | Promise<boolean>,
  { timeoutMs, everyMs, signal }: WaitOptions,
): Promise<boolean> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    signal?.throwIfAborted();
    if (await isTrue()) return true;
    if (performance.now() >= end) return false;
    await sleep(everyMs, undefined, { signal });
  }
}
