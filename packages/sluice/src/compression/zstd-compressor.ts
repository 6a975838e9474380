import type { Transform } from 'node:stream';
import { finished } from 'node:stream/promises';
import { type Blocks, type Compressed, type Compressor, viewsOf } from './compressor.ts';
import { createZstdStream } from './zstd-stream.ts';

/**
 * One zstd frame a file: not every reader takes several (Python's zstandard stops behind the first). A frame is one
 * sequence, so a file is compressed by one thread at a time, of those that Node.js has for such work. At level 3 that is
 * about as fast as COPY is.
 */
export class ZstdCompressor implements Compressor {
  readonly concurrency = 2;
  readonly #stream: Transform;
  #output: Uint8Array[] = [];

  constructor({ level }: { level: number }) {
    this.#stream = createZstdStream(level);
    this.#stream.on('data', (piece: Uint8Array) => this.#output.push(piece));
    // What fails is told by the writes and the end, too.
    this.#stream.on('error', () => this.#output.splice(0));
  }

  async compress(input: Blocks): Promise<Compressed> {
    for (const view of viewsOf(input).slice(0, -1)) this.#stream.write(view);
    const [last] = viewsOf(input).slice(-1);
    if (last !== undefined) await this.#write(last);
    return { output: this.#output.splice(0), blocks: input.blocks };
  }

  async end(): Promise<Uint8Array[]> {
    this.#stream.end();
    await finished(this.#stream);
    return this.#output.splice(0);
  }

  close(): void {
    this.#stream.destroy();
  }

  /** Settles when the bytes, and all before them, have been taken, and what they give is there. */
  #write(bytes: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#stream.write(bytes, (error) => {
        if (error) reject(error);
        else resolve();
      });
    });
  }
}
