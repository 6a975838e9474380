import { percentDecode } from 'sluice/aws-protocol';
import { checkVersionId, findObject } from './find-object.ts';
import { objectArn, type ObjectCall, type Permission } from './operation.ts';
import { writePermissions } from './permissions.ts';
import { checkCopySourcePreconditions } from './preconditions.ts';
import { S3Error, invalidArgument, noSuchBucket } from './s3-error.ts';
import type { Bucket } from './storage/bucket.ts';
import type { StoredObject } from './storage/stored-object.ts';

export interface CopySource {
  readonly bucket: Bucket;
  readonly object: StoredObject;
}

interface SourceName {
  readonly bucketName: string;
  readonly key: string;
}

const HEADER = 'x-amz-copy-source';

/** The permissions for CopyObject and UploadPartCopy: to read the source and to write the target. */
export function copyPermissions(call: ObjectCall): Permission[] {
  const source = parseSource(call);
  return [
    { action: 's3:GetObject', resource: objectArn(source.bucketName, source.key) },
    ...writePermissions(call),
  ];
}

/** The object to copy, after its preconditions were checked. @throws S3Error */
export async function findCopySource(call: ObjectCall): Promise<CopySource> {
  const { bucketName, key } = parseSource(call);
  const bucket = call.store.get(bucketName);
  if (bucket === undefined) throw noSuchBucket(bucketName);
  const object = await findObject(call, bucket, key);
  checkCopySourcePreconditions(call.request, object);
  return { bucket, object };
}

/** `/bucket/key`, percent-encoded, with or without the slash, perhaps with `?versionId=`. */
function parseSource({ request }: ObjectCall): SourceName {
  const header = request.header(HEADER) ?? '';
  if (request.header(`${HEADER}-server-side-encryption-customer-algorithm`) !== undefined) {
    throw new S3Error('InvalidRequest', 'The object was not stored with a customer-provided key.');
  }
  const [name = '', versionId] = header.split('?versionId=');
  checkVersionId(versionId);
  const decoded = percentDecode(name).replace(/^\//, '');
  const slash = decoded.indexOf('/');
  if (slash < 1 || slash === decoded.length - 1) {
    throw invalidArgument(
      'Copy Source must mention the source bucket and key: sourcebucket/sourcekey',
      HEADER,
      header,
    );
  }
  return { bucketName: decoded.slice(0, slash), key: decoded.slice(slash + 1) };
}
