import type { PartScheduler } from './part-scheduler.ts';

/**
 * Reads a source chunk by chunk. When the export fails, the source is released at once, even while its next chunk is
 * awaited. Errors of the source are thrown unchanged.
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

/** Releases a source that was never read. */
export function abandonSource(source: AsyncIterable<Uint8Array>): void {
  letGo(source, source[Symbol.asyncIterator]());
}

/**
 * Releases a source before its end. `return()` is not awaited: that of an async generator, such as the iterator of a
 * Node stream, resolves only after the pending `next()`. For the same reason a stream is destroyed as well.
 */
function letGo(source: AsyncIterable<Uint8Array>, iterator: AsyncIterator<Uint8Array>): void {
  // The export has failed already. That its source could not be closed must not replace that error.
  const ignore = (): void => undefined;
  iterator.return?.().then(ignore, ignore);
  if ('destroy' in source && typeof source.destroy === 'function') source.destroy();
}
