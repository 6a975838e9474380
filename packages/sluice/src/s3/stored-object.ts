import { loadS3Sdk, type S3Connection } from './connection.ts';
import { emptyAnswer, requireNoContent } from './empty-answer.ts';
import { withRetries } from './retries.ts';
import type { S3Uri } from './s3-uri.ts';
import { serverDateOf } from './server-date.ts';
import { isUploadError, type UploadError } from './upload-error.ts';

/** The object that is stored under a key. */
export interface StoredObject {
  bytes: number | undefined;
  etag: string;
  /** CRC32 in base64; for an object of several parts followed by the number of parts. */
  checksum: string | undefined;
  versionId: string | undefined;
  /** How long ago it was stored, by S3's clock, in whole seconds. */
  ageMs: number | undefined;
}

/**
 * Needs s3:GetObject. Without s3:ListBucket, S3 answers 403 for a key that does not exist.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
 *
 * @returns undefined when there is no such object
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

/** One particular object: a version, or the content with this ETag. */
export type ExactObject = S3Uri & ({ versionId: string } | { etag: string });

/**
 * Deletes one particular object, and not another that has replaced it. By version this needs s3:DeleteObjectVersion, by
 * ETag s3:DeleteObject.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-deletes.html
 *
 * @returns `gone` when nothing is stored there, `replaced` when another object is: it stays
 */
export async function deleteExactObject(
  connection: S3Connection,
  object: ExactObject,
  { signal }: { signal?: AbortSignal | undefined } = {},
): Promise<'deleted' | 'gone' | 'replaced'> {
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
    return 'deleted';
  } catch (error) {
    const found = isUploadError(error) ? whatIsThere(error) : undefined;
    if (found === undefined) throw error;
    return found;
  }
}

/** A missing bucket says nothing of the object. After a lost answer, the object that is not there is the deleted one. */
function whatIsThere({ httpStatus, s3Code, outcomeUnknown }: UploadError): 'gone' | 'replaced' | undefined {
  if (httpStatus === 412) return outcomeUnknown ? 'gone' : 'replaced';
  return httpStatus === 404 && s3Code !== 'NoSuchBucket' ? 'gone' : undefined;
}
