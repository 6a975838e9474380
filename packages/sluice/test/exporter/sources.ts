import { setTimeout as sleep } from 'node:timers/promises';

/** Rows of text, about `bytes` in total, in chunks of about 64 KiB. All chunks use the same buffer. */
export async function* textSource(bytes: number, rowBytes = 100): AsyncGenerator<Uint8Array, void, void> {
  const buffer = Buffer.alloc(Math.max(64 * 1024, rowBytes));
  for (const chunk of textChunks(bytes, rowBytes)) {
    chunk.copy(buffer);
    yield buffer.subarray(0, chunk.byteLength);
    // The buffer is overwritten, so bytes that the exporter has not copied are lost.
    buffer.fill('?');
    await Promise.resolve();
  }
}

export function textOf(bytes: number, rowBytes = 100): Buffer {
  return Buffer.concat([...textChunks(bytes, rowBytes)]);
}

function* textChunks(bytes: number, rowBytes: number): Generator<Buffer, void, void> {
  const rowsPerChunk = Math.max(1, Math.floor((64 * 1024) / rowBytes));
  let row = 0;
  for (let made = 0; made < bytes;) {
    const rows: string[] = [];
    for (let index = 0; index < rowsPerChunk && made < bytes; index++, row++) {
      rows.push(`${`${row}\t`.padEnd(rowBytes - 1, 'x')}\n`);
      made += rowBytes;
    }
    yield Buffer.from(rows.join(''));
  }
}

/** Gives some bytes, and then nothing more. Records whether it was released. */
export class SilentSource implements AsyncIterable<Uint8Array> {
  returned = false;
  readonly #bytes: number;

  constructor(bytes: number) {
    this.#bytes = bytes;
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    const chunks = textSource(this.#bytes);
    return {
      next: async () => {
        const result = await chunks.next();
        if (result.done !== true) return result;
        return new Promise<never>(() => undefined);
      },
      return: () => {
        this.returned = true;
        return Promise.resolve({ done: true, value: undefined });
      },
    };
  }
}

export async function* bytesSource(chunks: Iterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  for (const chunk of chunks) {
    yield chunk;
    await Promise.resolve();
  }
}

/** Waits until the condition is true. */
export async function eventually(isSo: () => boolean | Promise<boolean>, timeoutMs = 5_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await isSo())) {
    if (Date.now() > deadline)
      throw new Error(`it did not become so within ${timeoutMs} ms: ${String(isSo)}`);
    await sleep(10);
  }
}
