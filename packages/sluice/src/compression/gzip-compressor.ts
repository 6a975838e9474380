import { crc32 } from 'node:zlib';
import { type Blocks, type Compressed, type Compressor, viewsOf } from './compressor.ts';
import { DeflatePool } from './deflate-pool.ts';

/** Magic, deflate, no flags, no time (the same rows give the same file), no hint about speed, Unix. */
const HEADER = Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3);
/** A last deflate block without bytes: what ends the stream. */
const LAST_DEFLATE_BLOCK = Uint8Array.of(0x03, 0x00);

/** Of the process: threads are made when the first file is compressed. */
const pool = new DeflatePool();

/**
 * One gzip member a file, which every reader takes, though its pieces are compressed by several threads at once: each
 * ends on a byte (Z_SYNC_FLUSH) and refers to none before it, so they follow each other in one deflate stream. This costs
 * 0.6 percent of the size. Source: https://www.rfc-editor.org/rfc/rfc1952, and pigz, which does the same.
 */
export class GzipCompressor implements Compressor {
  readonly concurrency = pool.maxThreads + 1;
  /** What a thread takes is the process's. */
  readonly memoryBytes = 0;
  readonly #level: number;
  #hasHeader = false;
  #checksum = 0;
  #lengthBytes = 0;

  constructor({ level }: { level: number }) {
    this.#level = level;
  }

  async compress(input: Blocks): Promise<Compressed> {
    for (const view of viewsOf(input)) this.#checksum = crc32(view, this.#checksum);
    this.#lengthBytes += input.lengthBytes;
    const header = this.#header();
    const { blocks, lengthBytes, overflow } = await pool.run({ ...input, level: this.#level });
    return { output: [...header, ...viewsOf({ blocks, lengthBytes }), overflow], blocks };
  }

  end(): Promise<Uint8Array[]> {
    const trailer = Buffer.alloc(8);
    trailer.writeUInt32LE(this.#checksum);
    // Of a file above 4 GiB: its length modulo 2^32.
    trailer.writeUInt32LE(this.#lengthBytes % 2 ** 32, 4);
    return Promise.resolve([...this.#header(), LAST_DEFLATE_BLOCK, trailer]);
  }

  close(): void {
    // It has nothing of its own.
  }

  #header(): Uint8Array[] {
    if (this.#hasHeader) return [];
    this.#hasHeader = true;
    return [HEADER];
  }
}
