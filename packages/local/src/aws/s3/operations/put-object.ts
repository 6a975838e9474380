import { checksumHeaders } from '../checksum-headers.ts';
import { readObjectAttributes } from '../object-attributes.ts';
import type { ObjectOperation } from '../operation.ts';
import { checkWritePreconditions } from '../preconditions.ts';
import { receiveSegments } from '../receive-segments.ts';
import { LARGEST_UPLOAD_BYTES } from '../limits.ts';
import type { StoredObject } from '../storage/stored-object.ts';
import { writePermissions } from '../permissions.ts';

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html */
export const putObject: ObjectOperation = {
  name: 'PutObject',
  target: 'object',
  route: { method: 'PUT' },
  permissions: writePermissions,
  async run(call) {
    const { request, bucket, key } = call;
    const attributes = readObjectAttributes(request);
    const checkPreconditions = () => checkWritePreconditions(request, key, bucket.objects.get(key));
    checkPreconditions();
    // The ETag of an object that was not uploaded in parts is its MD5, and clients compare it.
    return receiveSegments(
      call,
      { maxBytes: LARGEST_UPLOAD_BYTES, digests: () => ['md5'] },
      (body, segments) => {
        checkPreconditions();
        const object: StoredObject = {
          key,
          etag: body.digests.get('md5')?.toString('hex') ?? '',
          sizeBytes: body.sizeBytes,
          lastModified: Date.now(),
          segments,
          ...attributes,
          ...(body.checksum && { checksum: { ...body.checksum, type: 'FULL_OBJECT' } }),
        };
        bucket.putObject(object);
        return {
          headers: { etag: `"${object.etag}"`, ...object.encryption, ...checksumHeaders(object.checksum) },
        };
      },
    );
  },
};
