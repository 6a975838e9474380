import { findUpload } from '../multipart/find-upload.ts';
import { onObject, type ObjectOperation } from '../operation.ts';

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_AbortMultipartUpload.html */
export const abortMultipartUpload: ObjectOperation = {
  name: 'AbortMultipartUpload',
  target: 'object',
  route: { method: 'DELETE', query: ['uploadId'] },
  permissions: onObject('s3:AbortMultipartUpload'),
  run(call) {
    call.bucket.abortUpload(findUpload(call));
    return { status: 204 };
  },
};
