import type { PartScheduler } from './part-scheduler.ts';

/**
 * Reads a source chunk by chunk, and lets go of it at once when the export fails, also while the next chunk is being
 * waited for. The source's own errors come out unchanged.
 */
export async function* readSource(
  source: AsyncIterable<Uint8Array>,
  scheduler: PartScheduler,
): AsyncGenerator<Uint8Array, void, void> {
  const iterator = source[Symbol.asyncIterator]();
  let ended = false;
  const next = async (): Promise<IteratorResult<Uint8Array>> => {
    try {
      const result = await iterator.next();
      ended = result.done === true;
      return result;
    } catch (error) {
      ended = true;
      throw error;
    }
  };
  try {
    for (;;) {
      const result = await scheduler.wait(next());
      if (result.done === true) return;
      yield result.value;
    }
  } finally {
    if (!ended) letGo(source, iterator);
  }
}

/** Lets go of a source that was never read. */
export function abandonSource(source: AsyncIterable<Uint8Array>): void {
  letGo(source, source[Symbol.asyncIterator]());
}

/**
 * Ends a source that is not read to its end. Not waited for: the `return()` of an async generator, as a Node stream's
 * iterator is one, is done only after its pending `next()`, so a stream is destroyed as well.
 */
function letGo(source: AsyncIterable<Uint8Array>, iterator: AsyncIterator<Uint8Array>): void {
  // Why the export failed matters, not that the source could not be closed after that.
  const ignore = (): void => undefined;
  iterator.return?.().then(ignore, ignore);
  if ('destroy' in source && typeof source.destroy === 'function') source.destroy();
}
