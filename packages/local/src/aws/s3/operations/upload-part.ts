import { createHash } from 'node:crypto';
import { checksumAlgorithms } from '../checksums/checksum-algorithms.ts';
import type { DigestName } from '../checksums/digest.ts';
import type { AnnouncedChecksum } from '../body/expected-checksum.ts';
import type { ReceivedBody } from '../body/receive-body.ts';
import { findUpload } from '../multipart/find-upload.ts';
import { LARGEST_UPLOAD_BYTES } from '../limits.ts';
import { onObject, type ObjectOperation } from '../operation.ts';
import { readPartNumber } from '../multipart/part-number.ts';
import { receiveSegments } from '../receive-segments.ts';
import { S3Error } from '../s3-error.ts';
import type { MultipartUpload, UploadedPart } from '../storage/stored-object.ts';

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPart.html */
export const uploadPart: ObjectOperation = {
  name: 'UploadPart',
  target: 'object',
  route: { method: 'PUT', query: ['partNumber', 'uploadId'] },
  permissions: onObject('s3:PutObject'),
  async run(call) {
    const partNumber = readPartNumber(call.request);
    const { upload } = findUpload(call);
    const digests = (announced: AnnouncedChecksum | undefined, md5Announced: boolean) =>
      partDigests(upload, announced, md5Announced);
    return receiveSegments(call, { maxBytes: LARGEST_UPLOAD_BYTES, digests }, (body, segments) => {
      const checksum = partChecksum(upload, body);
      const part: UploadedPart = {
        partNumber,
        etag: partEtag(body),
        sizeBytes: body.sizeBytes,
        lastModified: Date.now(),
        segments,
        ...(checksum && { checksum }),
      };
      // Once more: it may have been aborted or completed meanwhile.
      call.bucket.putPart(findUpload(call), part);
      return {
        headers: {
          etag: `"${part.etag}"`,
          ...upload.encryption,
          ...(checksum && { [checksumAlgorithms[checksum.algorithm].header]: checksum.value }),
        },
      };
    });
  },
};

function partDigests(
  upload: MultipartUpload,
  announced: AnnouncedChecksum | undefined,
  md5Announced: boolean,
): DigestName[] {
  const { checksum } = upload;
  if (checksum !== undefined && announced !== undefined && announced.algorithm !== checksum.algorithm) {
    throw new S3Error(
      'InvalidRequest',
      `Checksum Type mismatch occurred, expected checksum Type: ${checksum.algorithm.toLowerCase()}, actual checksum Type: ${announced.algorithm.toLowerCase()}`,
    );
  }
  const digests: DigestName[] = checksum === undefined ? [] : [checksumAlgorithms[checksum.algorithm].digest];
  return announced === undefined || md5Announced ? [...digests, 'md5'] : digests;
}

/** The upload's checksum, computed when the client did not send it; otherwise what the client sent. */
function partChecksum(upload: MultipartUpload, body: ReceivedBody): UploadedPart['checksum'] {
  if (upload.checksum === undefined) return body.checksum;
  const { algorithm } = upload.checksum;
  const digest = body.digests.get(checksumAlgorithms[algorithm].digest);
  return digest && { algorithm, value: digest.toString('base64') };
}

/**
 * The MD5 of the part where a client can expect it: when it sent Content-MD5 or no checksum at all. A part with another
 * checksum gets a tag made of that one, as opaque as S3's own for parts that are encrypted with KMS: MD5 runs at
 * 0.6 GB/s on one core, six times slower than CRC32, and would be most of the cost of a part.
 */
function partEtag(body: ReceivedBody): string {
  const md5 = body.digests.get('md5');
  if (md5 !== undefined) return md5.toString('hex');
  return createHash('md5')
    .update(`${body.checksum?.algorithm} ${body.checksum?.value} ${body.sizeBytes}`)
    .digest('hex');
}
