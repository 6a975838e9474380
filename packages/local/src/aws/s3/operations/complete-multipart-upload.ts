import { readXmlBody } from '../body/read-xml-body.ts';
import { checksumElements } from '../checksum-headers.ts';
import { completedObject, type MultipartClaim } from '../multipart/completed-object.ts';
import { parseClaimedParts } from '../multipart/claimed-parts.ts';
import { findUpload } from '../multipart/find-upload.ts';
import { onObject, type ObjectCall, type ObjectOperation, type S3Response } from '../operation.ts';
import { checkWritePreconditions } from '../preconditions.ts';
import { malformedXml } from '../s3-error.ts';
import type { StoredObject } from '../storage/stored-object.ts';
import { writeXml } from '../xml/write-xml.ts';
import { readClaimedChecksum, readClaimedSize } from '../multipart/claimed-checksum.ts';

/** Ten thousand parts with checksums are some 2 MB. */
const MAX_BODY_BYTES = 8 * 1024 * 1024;

/**
 * No byte is copied: the object takes over the files of the parts. A repeated request gets the same answer, so that
 * clients can retry.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
 */
export const completeMultipartUpload: ObjectOperation = {
  name: 'CompleteMultipartUpload',
  target: 'object',
  route: { method: 'POST', query: ['uploadId'] },
  permissions: onObject('s3:PutObject'),
  async run(call) {
    const { request, bucket, key } = call;
    const { root } = await readXmlBody(call, 'CompleteMultipartUpload', MAX_BODY_BYTES, {
      checksumHeaders: 'of the object',
    });
    if (root === undefined) throw malformedXml();
    const existing = bucket.objects.get(key);
    if (existing?.uploadId !== undefined && existing.uploadId === request.query.get('uploadId')) {
      return response(call, existing);
    }
    const claim: MultipartClaim = {
      parts: parseClaimedParts(root),
      checksum: readClaimedChecksum(request),
      sizeBytes: readClaimedSize(request),
    };
    const object = completedObject(findUpload(call), claim);
    checkWritePreconditions(request, key, existing);
    bucket.putObject(object);
    return response(call, object);
  },
};

function response({ request, bucket, key }: ObjectCall, object: StoredObject): S3Response {
  return {
    headers: object.encryption,
    body: writeXml('CompleteMultipartUploadResult', [
      [
        'Location',
        `http://${request.header('host') ?? 'localhost'}/${bucket.name}/${encodeURIComponent(key)}`,
      ],
      ['Bucket', bucket.name],
      ['Key', key],
      ['ETag', `"${object.etag}"`],
      ...checksumElements(object.checksum),
    ]),
  };
}
