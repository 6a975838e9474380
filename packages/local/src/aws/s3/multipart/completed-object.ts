import { createHash } from 'node:crypto';
import { badChecksum } from '../body/receive-body.ts';
import { checksumAlgorithms } from '../checksums/checksum-algorithms.ts';
import { combineCrcs } from '../checksums/combine-crcs.ts';
import { createDigest } from '../checksums/digest.ts';
import { LARGEST_OBJECT_BYTES, SMALLEST_PART_BYTES } from '../limits.ts';
import { S3Error } from '../s3-error.ts';
import type { OpenUpload } from '../storage/bucket.ts';
import type {
  MultipartUpload,
  StoredChecksum,
  StoredObject,
  UploadedPart,
} from '../storage/stored-object.ts';
import type { ClaimedChecksum } from './claimed-checksum.ts';
import type { ClaimedPart } from './claimed-parts.ts';

/** What CompleteMultipartUpload says about the uploaded parts and the object. */
export interface MultipartClaim {
  readonly parts: readonly ClaimedPart[];
  readonly checksum: ClaimedChecksum | undefined;
  readonly sizeBytes: number | undefined;
}

/** Compares the claim with the stored parts, and makes the object's record. @throws S3Error */
export function completedObject(
  { upload, parts: uploaded }: OpenUpload,
  claim: MultipartClaim,
): StoredObject {
  const parts = claim.parts.map((claimed) => findPart(upload, uploaded, claimed));
  checkSizes(parts, claim);
  const checksum = objectChecksum(upload, parts);
  if (checksum !== undefined && claim.checksum !== undefined) {
    const { algorithm, value } = claim.checksum;
    if (algorithm !== checksum.algorithm || value !== checksum.value.replace(/-\d+$/, ''))
      throw badChecksum(algorithm);
  }
  const { initiated: _initiated, checksum: _checksum, ...attributes } = upload;
  return {
    ...attributes,
    etag: multipartEtag(parts),
    sizeBytes: parts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    lastModified: Date.now(),
    segments: parts.flatMap(({ segments }) => segments),
    ...(checksum && { checksum }),
    parts: parts.map((part, index) => ({
      partNumber: index + 1,
      sizeBytes: part.sizeBytes,
      ...(checksum && part.checksum && { checksum: part.checksum.value }),
    })),
  };
}

function findPart(
  upload: MultipartUpload,
  uploaded: ReadonlyMap<number, UploadedPart>,
  claimed: ClaimedPart,
): UploadedPart {
  const part = uploaded.get(claimed.partNumber);
  const same =
    part !== undefined &&
    part.etag === claimed.etag &&
    claimed.checksums.every(
      ({ algorithm, value }) => part.checksum?.algorithm !== algorithm || part.checksum.value === value,
    );
  if (!same) {
    throw new S3Error(
      'InvalidPart',
      "One or more of the specified parts could not be found.  The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
      {
        details: { UploadId: upload.uploadId, PartNumber: String(claimed.partNumber), ETag: claimed.etag },
      },
    );
  }
  if (upload.checksum?.type === 'COMPOSITE') {
    const { algorithm } = upload.checksum;
    if (!claimed.checksums.some((checksum) => checksum.algorithm === algorithm)) {
      throw new S3Error(
        'InvalidRequest',
        `The upload was created using a ${algorithm.toLowerCase()} checksum. The complete request must include the checksum for each part. It was missing for part ${claimed.partNumber} in the request.`,
      );
    }
  }
  return part;
}

function checkSizes(parts: readonly UploadedPart[], claim: MultipartClaim): void {
  const small = parts.slice(0, -1).find(({ sizeBytes }) => sizeBytes < SMALLEST_PART_BYTES);
  if (small !== undefined) {
    throw new S3Error('EntityTooSmall', 'Your proposed upload is smaller than the minimum allowed size', {
      details: {
        ProposedSize: String(small.sizeBytes),
        MinSizeAllowed: String(SMALLEST_PART_BYTES),
        PartNumber: String(small.partNumber),
        ETag: small.etag,
      },
    });
  }
  const sizeBytes = parts.reduce((sum, part) => sum + part.sizeBytes, 0);
  if (sizeBytes > LARGEST_OBJECT_BYTES) {
    throw new S3Error('EntityTooLarge', 'Your proposed upload exceeds the maximum allowed object size.');
  }
  if (claim.sizeBytes !== undefined && claim.sizeBytes !== sizeBytes) {
    throw new S3Error(
      'InvalidRequest',
      `The provided 'x-amz-mp-object-size' header value ${claim.sizeBytes} does not match what was computed: ${sizeBytes}`,
    );
  }
}

/** The MD5 of the parts' ETags, and the number of parts. */
function multipartEtag(parts: readonly UploadedPart[]): string {
  const hash = createHash('md5');
  for (const { etag } of parts) hash.update(etag, 'hex');
  return `${hash.digest('hex')}-${parts.length}`;
}

function objectChecksum(upload: MultipartUpload, parts: readonly UploadedPart[]): StoredChecksum | undefined {
  if (upload.checksum === undefined) return undefined;
  const { algorithm, type } = upload.checksum;
  const { digest, crc, sizeBytes: checksumBytes } = checksumAlgorithms[algorithm];
  const values = parts.map(({ checksum }) => Buffer.from(checksum?.value ?? '', 'base64'));
  if (type === 'COMPOSITE') {
    const composite = createDigest(digest);
    for (const value of values) composite.update(value);
    return { algorithm, type, value: `${composite.digest().toString('base64')}-${parts.length}` };
  }
  if (crc === undefined) throw new Error(`${algorithm} cannot be combined`);
  const pieces = parts.map(({ sizeBytes }, index) => ({
    sizeBytes,
    crc: BigInt(`0x${values[index]?.toString('hex')}`),
  }));
  const combined = combineCrcs(crc, pieces)
    .toString(16)
    .padStart(2 * checksumBytes, '0');
  return { algorithm, type, value: Buffer.from(combined, 'hex').toString('base64') };
}
