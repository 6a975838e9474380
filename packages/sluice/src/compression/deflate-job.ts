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

/** The size of the pieces that zlib's output comes in. */
const CHUNK_BYTES = 128 * 1024;

/** The bytes of a job in one piece, as zlib wants them. Used again, as what is dropped is collected late. */
let whole = Buffer.alloc(0);

/** Compresses the bytes of a job to a piece of a raw deflate stream, which ends on a byte. */
export function runDeflateJob({ blocks, lengthBytes, level }: DeflateJob): DeflateReply {
  const deflated = deflateRawSync(wholeOf({ blocks, lengthBytes }), {
    level,
    finishFlush: constants.Z_SYNC_FLUSH,
    chunkSize: CHUNK_BYTES,
  });
  let copied = 0;
  for (const block of blocks) {
    const piece = deflated.subarray(copied, copied + block.byteLength);
    block.set(piece);
    copied += piece.byteLength;
  }
  return { blocks, lengthBytes: copied, overflow: Uint8Array.from(deflated.subarray(copied)) };
}

function wholeOf(input: Blocks): Buffer {
  if (whole.byteLength < input.lengthBytes) whole = Buffer.allocUnsafeSlow(input.lengthBytes);
  let copied = 0;
  for (const view of viewsOf(input)) {
    whole.set(view, copied);
    copied += view.byteLength;
  }
  return whole.subarray(0, copied);
}
