import { loadS3Sdk, type S3Connection } from './connection.ts';
import { emptyAnswer, requireNoContent } from './empty-answer.ts';
import { withRetries } from './retries.ts';
import type { S3Uri } from './s3-uri.ts';
import { serverDateOf } from './server-date.ts';
import { isUploadError, type UploadError } from './upload-error.ts';

/** What is stored under a key. */
export interface StoredObject {
  bytes: number | undefined;
  etag: string;
  /** CRC32 in base64; of an object of several parts, with their number behind it. */
  checksum: string | undefined;
  versionId: string | undefined;
  /** How long ago it was stored, by S3's clock, which tells whole seconds. */
  ageMs: number | undefined;
}

/**
 * Needs s3:GetObject; without s3:ListBucket a key that holds nothing is answered with 403.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
 *
 * @returns undefined when nothing is stored there
 */
export async function headObject(
  connection: S3Connection,
  { bucket, key }: S3Uri,
  { signal }: { signal?: AbortSignal | undefined } = {},
): Promise<StoredObject | undefined> {
  const { HeadObjectCommand } = await loadS3Sdk();
  const client = await connection.client();
  const target = await connection.target('HeadObject', { bucket, key });
  try {
    return await withRetries(connection, target, signal, async () => {
      const command = new HeadObjectCommand({ Bucket: bucket, Key: key, ChecksumMode: 'ENABLED' });
      let answeredAt: number | undefined;
      command.middlewareStack.add(
        (next) => async (args) => {
          const result = await next(args);
          answeredAt = serverDateOf(result.response);
          return result;
        },
        { step: 'deserialize' },
      );
      const answer = await client.send(command, signal === undefined ? {} : { abortSignal: signal });
      if (answer.ETag === undefined) throw emptyAnswer();
      return {
        bytes: answer.ContentLength,
        etag: answer.ETag,
        checksum: answer.ChecksumCRC32,
        versionId: answer.VersionId,
        ageMs:
          answer.LastModified === undefined || answeredAt === undefined
            ? undefined
            : answeredAt - answer.LastModified.getTime(),
      };
    });
  } catch (error) {
    if (isUploadError(error) && error.httpStatus === 404) return undefined;
    throw error;
  }
}

/** Not a bucket that is said to be missing: then nothing is known of the object. */
function isGone({ httpStatus, s3Code }: UploadError): boolean {
  return httpStatus === 412 || (httpStatus === 404 && s3Code !== 'NoSuchBucket');
}

/** Which object is meant: its version, or else its content. */
export type ExactObject = S3Uri & ({ versionId: string } | { etag: string });

/**
 * Deletes an object if it is still the one that is meant. By its version needs s3:DeleteObjectVersion, by its ETag
 * s3:DeleteObject. https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-deletes.html
 *
 * @returns false when it was not there any more
 */
export async function deleteExactObject(
  connection: S3Connection,
  object: ExactObject,
  { signal }: { signal?: AbortSignal | undefined } = {},
): Promise<boolean> {
  const { bucket, key } = object;
  const { DeleteObjectCommand } = await loadS3Sdk();
  const client = await connection.client();
  const isVersion = 'versionId' in object;
  const target = await connection.target(isVersion ? 'DeleteObjectVersion' : 'DeleteObject', { bucket, key });
  const command = new DeleteObjectCommand({
    Bucket: bucket,
    Key: key,
    ...(isVersion ? { VersionId: object.versionId } : { IfMatch: object.etag }),
  });
  try {
    await withRetries(connection, target, signal, async () =>
      requireNoContent(await client.send(command, signal === undefined ? {} : { abortSignal: signal })),
    );
    return true;
  } catch (error) {
    if (isUploadError(error) && isGone(error)) return false;
    throw error;
  }
}
