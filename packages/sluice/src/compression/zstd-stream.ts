import * as zlib from 'node:zlib';
import { Transform } from 'node:stream';

/** https://facebook.github.io/zstd/zstd_manual.html (ZSTD_cParameter) */
const COMPRESSION_LEVEL = 100;
const CHECKSUM_FLAG = 201;
/** The size of the pieces that come out. */
const CHUNK_BYTES = 64 * 1024;

/** Node.js has zstd from 22.15 and 23.8 on: https://nodejs.org/api/zlib.html#zlibcreatezstdcompressoptions */
export function hasZstd(): boolean {
  return 'createZstdCompress' in zlib;
}

/** A stream that makes one zstd frame with a checksum, as the tool does. */
export function createZstdStream(level: number): Transform {
  const create: unknown = 'createZstdCompress' in zlib ? zlib.createZstdCompress : undefined;
  const stream: unknown =
    typeof create === 'function'
      ? Reflect.apply(create, zlib, [
          { chunkSize: CHUNK_BYTES, params: { [COMPRESSION_LEVEL]: level, [CHECKSUM_FLAG]: 1 } },
        ])
      : undefined;
  if (!(stream instanceof Transform)) throw new TypeError('this Node.js has no zstd');
  return stream;
}
