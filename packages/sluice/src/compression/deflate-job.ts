import { constants, deflateRawSync } from 'node:zlib';
import { type Blocks, viewsOf } from './compressor.ts';

/** What a thread is asked: to compress the bytes of blocks, which are moved to it. */
export interface DeflateJob extends Blocks {
  level: number;
}

/** The same blocks, with the output in them. */
export interface DeflateReply extends Blocks {
  /** What had no room in them: compressed bytes may be a few more than the bytes. */
  overflow: Uint8Array<ArrayBuffer>;
}

/** Compresses the bytes of a job to a piece of a raw deflate stream, which ends on a byte. */
export function runDeflateJob({ blocks, lengthBytes, level }: DeflateJob): DeflateReply {
  const bytes = Buffer.concat(viewsOf({ blocks, lengthBytes }));
  const deflated = deflateRawSync(bytes, {
    level,
    finishFlush: constants.Z_SYNC_FLUSH,
    // All of the output in one piece, but for what cannot be compressed.
    chunkSize: Math.max(1024, bytes.byteLength),
  });
  let copied = 0;
  for (const block of blocks) {
    const piece = deflated.subarray(copied, copied + block.byteLength);
    block.set(piece);
    copied += piece.byteLength;
  }
  return { blocks, lengthBytes: copied, overflow: Uint8Array.from(deflated.subarray(copied)) };
}
