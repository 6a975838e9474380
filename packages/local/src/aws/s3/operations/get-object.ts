import { readObjectPart } from '../read-object-part.ts';
import type { ObjectOperation } from '../operation.ts';
import { onVersion } from '../permissions.ts';

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html */
export const getObject: ObjectOperation = {
  name: 'GetObject',
  target: 'object',
  route: { method: 'GET' },
  permissions: onVersion('s3:GetObject', 's3:GetObjectVersion'),
  async run(call) {
    const { object, range, status, headers } = await readObjectPart(call);
    const { segments } = call.bucket;
    return {
      status,
      headers,
      body: {
        sizeBytes: range.sizeBytes,
        read: () => segments.read(object.segments, range.offsetBytes, range.sizeBytes),
        // Pinned before anything is awaited since the object was found, so that no delete can remove its files.
        release: segments.pin(object.segments),
      },
    };
  },
};
