import type { ByteRange } from '../byte-range.ts';
import { checksumAlgorithms } from '../checksums/checksum-algorithms.ts';
import { copyPermissions, findCopySource } from '../copy-source.ts';
import { digestSegments } from '../digest-segments.ts';
import { LARGEST_UPLOAD_BYTES } from '../limits.ts';
import { findUpload } from '../multipart/find-upload.ts';
import { readPartNumber } from '../multipart/part-number.ts';
import type { ObjectCall, ObjectOperation } from '../operation.ts';
import { S3Error, invalidArgument } from '../s3-error.ts';
import type { UploadedPart } from '../storage/stored-object.ts';
import { writeXml } from '../xml/write-xml.ts';

/**
 * The part shares the files of its source by hard links. They are read only to compute digests.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html
 */
export const uploadPartCopy: ObjectOperation = {
  name: 'UploadPartCopy',
  target: 'object',
  route: { method: 'PUT', query: ['partNumber', 'uploadId'], headers: ['x-amz-copy-source'] },
  permissions: copyPermissions,
  async run(call) {
    const partNumber = readPartNumber(call.request);
    const { upload } = findUpload(call);
    const source = await findCopySource(call);
    const release = source.bucket.segments.pin(source.object.segments);
    try {
      const range = readSourceRange(call, source.object.sizeBytes);
      const algorithm = upload.checksum?.algorithm;
      const digests = await digestSegments(source.bucket.segments, source.object.segments, range, [
        'md5',
        ...(algorithm === undefined ? [] : [checksumAlgorithms[algorithm].digest]),
      ]);
      const value = algorithm && digests.get(checksumAlgorithms[algorithm].digest)?.toString('base64');
      const { segments: files } = call.bucket;
      const segments = await files.share(
        source.object.segments,
        range.offsetBytes,
        range.sizeBytes,
        source.bucket.segments,
      );
      const part: UploadedPart = {
        partNumber,
        etag: digests.get('md5')?.toString('hex') ?? '',
        sizeBytes: range.sizeBytes,
        lastModified: Date.now(),
        segments,
        ...(algorithm && value !== undefined && { checksum: { algorithm, value } }),
      };
      try {
        call.bucket.putPart(findUpload(call), part);
      } catch (error) {
        files.remove(segments);
        throw error;
      }
      return { headers: upload.encryption, body: copyPartResult(part) };
    } finally {
      release();
    }
  },
};

function copyPartResult(part: UploadedPart): string {
  return writeXml('CopyPartResult', [
    ['LastModified', new Date(part.lastModified).toISOString()],
    ['ETag', `"${part.etag}"`],
    ...(part.checksum === undefined
      ? []
      : [[checksumAlgorithms[part.checksum.algorithm].element, part.checksum.value] as const]),
  ]);
}

/** x-amz-copy-source-range: `bytes=first-last`; both numbers are required. */
function readSourceRange({ request }: ObjectCall, sizeBytes: number): ByteRange {
  const header = request.header('x-amz-copy-source-range');
  if (header === undefined) return { offsetBytes: 0, sizeBytes };
  const [, firstText, lastText] = /^bytes=(\d{1,15})-(\d{1,15})$/.exec(header) ?? [];
  if (firstText === undefined || lastText === undefined || Number(lastText) < Number(firstText)) {
    throw invalidArgument(
      'The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy',
      'x-amz-copy-source-range',
      header,
    );
  }
  const range = { offsetBytes: Number(firstText), sizeBytes: Number(lastText) - Number(firstText) + 1 };
  if (Number(lastText) >= sizeBytes) {
    throw invalidArgument(
      `Range specified is not valid for source object of size: ${sizeBytes}`,
      'x-amz-copy-source-range',
      header,
    );
  }
  if (range.sizeBytes > LARGEST_UPLOAD_BYTES) {
    throw new S3Error(
      'InvalidRequest',
      'The specified copy source is larger than the maximum allowable size for a copy source: 5368709120',
    );
  }
  return range;
}
