import { checkVersionId } from '../find-object.ts';
import type { ObjectOperation } from '../operation.ts';
import { onVersion } from '../permissions.ts';
import { listsEtag, preconditionFailed } from '../preconditions.ts';
import { noSuchKey } from '../s3-error.ts';

/**
 * Succeeds for keys that do not exist, too.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html
 */
export const deleteObject: ObjectOperation = {
  name: 'DeleteObject',
  target: 'object',
  route: { method: 'DELETE' },
  permissions: onVersion('s3:DeleteObject', 's3:DeleteObjectVersion'),
  run({ request, bucket, key }) {
    checkVersionId(request.query.get('versionId'));
    const match = request.header('if-match');
    if (match !== undefined) {
      const object = bucket.objects.get(key);
      if (object === undefined) throw noSuchKey(key);
      if (!listsEtag(match, object.etag)) throw preconditionFailed('if-match');
    }
    bucket.deleteObject(key);
    return { status: 204 };
  },
};
