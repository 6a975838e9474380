import { crc32 } from 'node:zlib';

/** The bytes of an object or a part: blocks that follow each other, and stay untouched until the request has ended. */
export type Body = readonly Uint8Array[];

export function bodyLength(body: Body): number {
  return body.reduce((sum, { length }) => sum + length, 0);
}

/** CRC32 as `x-amz-checksum-crc32` has it: base64 of the four bytes, big-endian. */
export function checksumOf(body: Body): string {
  let checksum = 0;
  for (const block of body) checksum = crc32(block, checksum);
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(checksum);
  return bytes.toString('base64');
}
