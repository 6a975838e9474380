import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { PartScheduler } from './part-scheduler.ts';
import { abandonSource, readSource } from './source-reader.ts';

const scheduler = (): PartScheduler => new PartScheduler({ partsInFlight: 1 });

/** Gives one chunk, then keeps its reader waiting. */
function silentSource(): AsyncIterable<Uint8Array> & { returns: number } {
  let chunks = 1;
  return {
    returns: 0,
    [Symbol.asyncIterator]() {
      return {
        next: () =>
          chunks-- > 0
            ? Promise.resolve({ done: false, value: Uint8Array.of(1) })
            : new Promise<never>(() => undefined),
        return: () => {
          this.returns++;
          return Promise.resolve({ done: true, value: undefined });
        },
      };
    },
  };
}

async function readAll(source: AsyncIterable<Uint8Array>, with_: PartScheduler): Promise<number> {
  let bytes = 0;
  for await (const chunk of readSource(source, with_)) bytes += chunk.byteLength;
  return bytes;
}

describe('readSource', () => {
  it('reads a source to its end, and does not return what has ended', async () => {
    let finished = false;
    async function* source(): AsyncGenerator<Uint8Array, void, void> {
      try {
        yield Uint8Array.of(1, 2);
        yield Uint8Array.of(3);
      } finally {
        finished = true;
      }
      await Promise.resolve();
    }
    expect(await readAll(source(), scheduler())).toBe(3);
    expect(finished).toBe(true);
  });

  it('lets go of a silent source as soon as the export fails', async () => {
    const source = silentSource();
    const itsScheduler = scheduler();
    const reading = readAll(source, itsScheduler);
    await new Promise(setImmediate);
    const reason = new Error('part failed');
    itsScheduler.fail(reason);
    await expect(reading).rejects.toBe(reason);
    expect(source.returns).toBe(1);
  });

  it('destroys a stream, whose iterator cannot be ended while it waits', async () => {
    const stream = new Readable({ read: () => undefined });
    const itsScheduler = scheduler();
    const reading = readAll(stream, itsScheduler);
    await new Promise(setImmediate);
    itsScheduler.fail(new Error('part failed'));
    await expect(reading).rejects.toThrow('part failed');
    expect(stream.destroyed).toBe(true);
  });

  it('throws the error of the source as it is', async () => {
    const reason = new Error('mine');
    const source = Readable.from(
      (async function* () {
        yield Buffer.from('x');
        await Promise.resolve();
        throw reason;
      })(),
    );
    await expect(readAll(source, scheduler())).rejects.toBe(reason);
  });
});

describe('abandonSource', () => {
  it('lets go of a source that was not read', () => {
    const source = silentSource();
    abandonSource(source);
    expect(source.returns).toBe(1);
  });
});
