import { bucketArn, type ObjectCall } from './operation.ts';
import { S3Error, noSuchKey } from './s3-error.ts';
import type { Bucket } from './storage/bucket.ts';
import type { StoredObject } from './storage/stored-object.ts';

/**
 * The object of a request. A caller who may not list the bucket gets AccessDenied instead of NoSuchKey.
 * @throws S3Error NoSuchKey, AccessDenied
 */
export async function findObject(call: ObjectCall, bucket: Bucket, key: string): Promise<StoredObject> {
  const object = bucket.objects.get(key);
  if (object !== undefined) return object;
  throw (await call.denial({ action: 's3:ListBucket', resource: bucketArn(bucket.name) })) ?? noSuchKey(key);
}

/** Buckets here have no versioning: every object has the version `null`. @throws S3Error */
export function checkVersionId(versionId: string | undefined): void {
  if (versionId === undefined || versionId === 'null') return;
  throw new S3Error('NoSuchVersion', 'The specified version does not exist.', {
    details: { VersionId: versionId },
  });
}
