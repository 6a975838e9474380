import type { ByteRange } from './byte-range.ts';
import { createDigest, type DigestName } from './checksums/digest.ts';
import type { SegmentFiles } from './storage/segment-files.ts';
import type { Segment } from './storage/stored-object.ts';

/** Computes digests of stored bytes, which must be pinned. Reads nothing if no digest is wanted. */
export async function digestSegments(
  files: SegmentFiles,
  segments: readonly Segment[],
  range: ByteRange,
  wanted: readonly DigestName[],
): Promise<ReadonlyMap<DigestName, Buffer>> {
  const running = wanted.map((name) => ({ name, digest: createDigest(name) }));
  if (running.length > 0) {
    for await (const bytes of files.read(segments, range.offsetBytes, range.sizeBytes)) {
      for (const { digest } of running) digest.update(bytes);
    }
  }
  return new Map(running.map(({ name, digest }) => [name, digest.digest()]));
}
