import { MAX_PARTS } from '../s3/upload-part.ts';

const KIB = 1024;
export const MIB = 1024 * KIB;
export const GIB = 1024 * MIB;

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
export const SMALLEST_PART_BYTES = 5 * MIB;
export const LARGEST_PART_BYTES = 5 * GIB;
export const LARGEST_OBJECT_BYTES = 5 * 1024 * GIB;

/** The number of parts planned for a file of the full size. The other 500 are room for a last row beyond the limit. */
const PLANNED_PARTS = 9_500;

/**
 * The size of a file's part by its number, from 1. Parts have the basic size; if a file of `fileLimitBytes` would need
 * too many of them, each part is larger than the one before it by a constant amount. So a small file has no large
 * parts, and the largest possible file (5 TiB) ends with parts of about 1.1 GiB.
 */
export function partSizeOf(
  partNumber: number,
  { partSizeBytes, fileLimitBytes }: { partSizeBytes: number; fileLimitBytes: number },
): number {
  const missing = fileLimitBytes - PLANNED_PARTS * partSizeBytes;
  if (missing <= 0) return partSizeBytes;
  const growth = Math.ceil(missing / ((PLANNED_PARTS * (PLANNED_PARTS - 1)) / 2));
  return Math.min(partSizeBytes + growth * (partNumber - 1), LARGEST_PART_BYTES);
}

export { MAX_PARTS };
