import { checksumElements } from '../checksum-headers.ts';
import { parseChecksumAlgorithm, checksumAlgorithms } from '../checksums/checksum-algorithms.ts';
import type { DigestName } from '../checksums/digest.ts';
import { copyPermissions, findCopySource, type CopySource } from '../copy-source.ts';
import { digestSegments } from '../digest-segments.ts';
import { LARGEST_UPLOAD_BYTES } from '../limits.ts';
import { readObjectAttributes } from '../object-attributes.ts';
import { objectArn, type ObjectCall, type ObjectOperation } from '../operation.ts';
import { checkWritePreconditions } from '../preconditions.ts';
import { S3Error, invalidArgument } from '../s3-error.ts';
import type { ObjectAttributes, StoredChecksum, StoredObject } from '../storage/stored-object.ts';
import { writeXml } from '../xml/write-xml.ts';

/**
 * The copy shares the files of its source by hard links. They are read only to compute another checksum.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
 */
export const copyObject: ObjectOperation = {
  name: 'CopyObject',
  target: 'object',
  route: { method: 'PUT', headers: ['x-amz-copy-source'] },
  permissions: copyPermissions,
  async run(call) {
    const { request, bucket, key } = call;
    const source = await findCopySource(call);
    await checkTagPermissions(call, source);
    const release = source.bucket.segments.pin(source.object.segments);
    try {
      const attributes = copiedAttributes(call, source);
      if (source.object.sizeBytes > LARGEST_UPLOAD_BYTES) {
        throw new S3Error(
          'InvalidRequest',
          'The specified copy source is larger than the maximum allowable size for a copy source: 5368709120',
        );
      }
      const { etag, checksum } = await describeBytes(call, source);
      const segments = await bucket.segments.share(
        source.object.segments,
        0,
        source.object.sizeBytes,
        source.bucket.segments,
      );
      try {
        checkWritePreconditions(request, key, bucket.objects.get(key));
        const object: StoredObject = {
          key,
          etag,
          sizeBytes: source.object.sizeBytes,
          lastModified: Date.now(),
          segments,
          ...attributes,
          ...(checksum && { checksum }),
        };
        bucket.putObject(object);
        return { headers: object.encryption, body: copyResult(object) };
      } catch (error) {
        bucket.segments.remove(segments);
        throw error;
      }
    } finally {
      release();
    }
  },
};

function copyResult(object: StoredObject): string {
  return writeXml('CopyObjectResult', [
    ['LastModified', new Date(object.lastModified).toISOString()],
    ['ETag', `"${object.etag}"`],
    ...checksumElements(object.checksum),
  ]);
}

/** Copying an object with tags needs the permissions to read and to write tags. @throws S3Error AccessDenied */
async function checkTagPermissions(call: ObjectCall, { bucket, object }: CopySource): Promise<void> {
  if (object.tagging === undefined || readDirective(call, 'x-amz-tagging-directive')) return;
  const denial =
    (await call.denial({ action: 's3:GetObjectTagging', resource: objectArn(bucket.name, object.key) })) ??
    (await call.denial({ action: 's3:PutObjectTagging', resource: objectArn(call.bucketName, call.key) }));
  if (denial !== undefined) throw denial;
}

/**
 * The attributes of the copy. Metadata and tags are copied or replaced, each by its directive; the others come from the
 * request.
 */
function copiedAttributes(call: ObjectCall, source: CopySource): ObjectAttributes {
  const { request } = call;
  const replaceMetadata = readDirective(call, 'x-amz-metadata-directive');
  const replaceTagging = readDirective(call, 'x-amz-tagging-directive');
  const asked = readObjectAttributes(request);
  const { headers, userMetadata, tagging } = source.object;
  const { tagging: askedTagging, ...others } = asked;
  const keptTagging = replaceTagging ? askedTagging : tagging;
  const changes =
    replaceMetadata ||
    replaceTagging ||
    request.header('x-amz-storage-class') !== undefined ||
    request.header('x-amz-server-side-encryption') !== undefined ||
    request.header('x-amz-website-redirect-location') !== undefined;
  if (source.bucket === call.bucket && source.object.key === call.key && !changes) {
    throw new S3Error(
      'InvalidRequest',
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
    );
  }
  return {
    ...others,
    ...(replaceMetadata ? {} : { headers, userMetadata }),
    ...(keptTagging === undefined ? {} : { tagging: keptTagging }),
  };
}

/** Whether a directive says REPLACE. @throws S3Error InvalidArgument */
function readDirective({ request }: ObjectCall, header: string): boolean {
  const directive = request.header(header) ?? 'COPY';
  if (directive === 'COPY' || directive === 'REPLACE') return directive === 'REPLACE';
  throw invalidArgument(`Unknown ${header.split('-')[2]} directive.`, header, directive);
}

/**
 * The ETag and checksum of the copy. The copy is one object, even if its source was uploaded in parts, so the ETag is
 * the MD5 of all bytes, and the checksum is of the full object.
 */
async function describeBytes(
  { request }: ObjectCall,
  { bucket, object }: CopySource,
): Promise<{ etag: string; checksum: StoredChecksum | undefined }> {
  const asked = request.header('x-amz-checksum-algorithm');
  const algorithm = asked === undefined ? object.checksum?.algorithm : parseChecksumAlgorithm(asked);
  if (asked !== undefined && algorithm === undefined) {
    throw new S3Error('InvalidRequest', 'Checksum algorithm provided is unsupported.');
  }
  const known = object.checksum?.algorithm === algorithm && object.checksum?.type === 'FULL_OBJECT';
  const wanted: DigestName[] = object.etag.includes('-') ? ['md5'] : [];
  if (algorithm !== undefined && !known) wanted.push(checksumAlgorithms[algorithm].digest);
  const digests = await digestSegments(
    bucket.segments,
    object.segments,
    { offsetBytes: 0, sizeBytes: object.sizeBytes },
    wanted,
  );
  const value = known
    ? object.checksum?.value
    : algorithm && digests.get(checksumAlgorithms[algorithm].digest)?.toString('base64');
  return {
    etag: digests.get('md5')?.toString('hex') ?? object.etag,
    checksum: algorithm && value !== undefined ? { algorithm, type: 'FULL_OBJECT', value } : undefined,
  };
}
