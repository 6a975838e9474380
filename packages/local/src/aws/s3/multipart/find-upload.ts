import type { ObjectCall } from '../operation.ts';
import { noSuchUpload } from '../s3-error.ts';
import type { OpenUpload } from '../storage/bucket.ts';

/** The open upload that the query names; it must be of this key. @throws S3Error NoSuchUpload */
export function findUpload(call: ObjectCall): OpenUpload {
  const uploadId = call.request.query.get('uploadId') ?? '';
  const open = call.bucket.uploads.get(uploadId);
  if (open === undefined || open.upload.key !== call.key) throw noSuchUpload(uploadId);
  return open;
}
