import type { Compression } from './compression.ts';
import { GzipCompressor } from './gzip-compressor.ts';
import { ZstdCompressor } from './zstd-compressor.ts';

/** Memory with bytes in it. A block is all of its ArrayBuffer, so that it can be handed to a thread and back. */
export interface Blocks {
  blocks: Uint8Array<ArrayBuffer>[];
  /** Only the last of the blocks may have room behind them. */
  lengthBytes: number;
}

export interface Compressed {
  /** To be used before the blocks are. */
  output: Uint8Array[];
  /** As many as were given, though they may be others; their content is the output's, or of no use. */
  blocks: Uint8Array<ArrayBuffer>[];
}

/** Compresses one file. */
export interface Compressor {
  /**
   * How many calls of `compress` are worth having under way at once. The output of each follows that of the call before
   * it, whichever is ready first.
   */
  readonly concurrency: number;
  /** What it takes for itself, from the first call to `close`. */
  readonly memoryBytes: number;
  /** The next bytes of the file. The blocks are the compressor's until it gives as many back. */
  compress(input: Blocks): Promise<Compressed>;
  /** What stands behind the output of all calls, which have ended well. */
  end(): Promise<Uint8Array[]>;
  /** Frees what it holds; calls under way still end. */
  close(): void;
}

export function createCompressor({ format, level }: Compression): Compressor {
  switch (format) {
    case 'gzip':
      return new GzipCompressor({ level });
    case 'zstd':
      return new ZstdCompressor({ level });
    default:
      throw new TypeError(`no such compression: ${String(format satisfies never)}`);
  }
}

/** The bytes of blocks, as views of them. */
export function viewsOf({ blocks, lengthBytes }: Blocks): Uint8Array<ArrayBuffer>[] {
  const views: Uint8Array<ArrayBuffer>[] = [];
  let left = lengthBytes;
  for (const block of blocks) {
    if (left <= 0) break;
    views.push(block.subarray(0, left));
    left -= block.byteLength;
  }
  return views;
}
