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

/**
 * The checksum of an object that was uploaded in parts: that of the parts' checksums, and their number. Undefined where
 * a part has none.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html (Composite checksums)
 */
export function checksumOfParts(checksums: readonly (string | undefined)[]): string | undefined {
  const known = checksums.filter((checksum) => checksum !== undefined);
  if (known.length < checksums.length) return undefined;
  const bytes = known.map((checksum) => Buffer.from(checksum, 'base64'));
  return `${checksumOf(bytes)}-${known.length}`;
}
