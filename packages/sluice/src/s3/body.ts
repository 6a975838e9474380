import { crc32 } from 'node:zlib';

/** The bytes of an object or a part, as consecutive blocks. They must not be changed until the request has ended. */
export type Body = readonly Uint8Array[];

export function bodyLength(body: Body): number {
  return body.reduce((sum, { length }) => sum + length, 0);
}

/** CRC32 in the form of `x-amz-checksum-crc32`: four bytes, big-endian, in base64. */
export function checksumOf(body: Body): string {
  let checksum = 0;
  for (const block of body) checksum = crc32(block, checksum);
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(checksum);
  return bytes.toString('base64');
}

/**
 * The checksum of an object that was uploaded in parts: the CRC32 of the parts' checksums, and the number of parts.
 * Undefined if a part has no checksum.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html (Composite checksums)
 */
export function checksumOfParts(checksums: readonly (string | undefined)[]): string | undefined {
  const known = checksums.filter((checksum) => checksum !== undefined);
  if (known.length < checksums.length) return undefined;
  const bytes = known.map((checksum) => Buffer.from(checksum, 'base64'));
  return `${checksumOf(bytes)}-${known.length}`;
}
