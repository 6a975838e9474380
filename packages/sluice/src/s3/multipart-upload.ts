import type { CompletedPart } from '@aws-sdk/client-s3';
import { loadS3Sdk, type S3Connection } from './connection.ts';
import type { ObjectSettings } from './object-settings.ts';
import { withRetries } from './retries.ts';
import { isUploadError } from './upload-error.ts';

/** An upload that S3 keeps (and charges for) until it is completed or aborted. */
export interface MultipartUpload {
  bucket: string;
  key: string;
  uploadId: string;
}

export interface UploadedPart {
  partNumber: number;
  etag: string | undefined;
  checksum: string | undefined;
}

export interface CreateMultipartUploadRequest extends ObjectSettings {
  bucket: string;
  key: string;
  signal?: AbortSignal | undefined;
}

/**
 * The signal stops further attempts, never the one under way: an upload whose id is not waited for could not be aborted.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateMultipartUpload.html
 */
export async function createMultipartUpload(
  connection: S3Connection,
  request: CreateMultipartUploadRequest,
): Promise<MultipartUpload> {
  const { bucket, key, contentType, kmsKeyId } = request;
  const { CreateMultipartUploadCommand } = await loadS3Sdk();
  const client = await connection.client();
  const target = await connection.target('CreateMultipartUpload', request);
  const command = new CreateMultipartUploadCommand({
    Bucket: bucket,
    Key: key,
    ...(contentType === undefined ? {} : { ContentType: contentType }),
    ...(kmsKeyId === undefined ? {} : { ServerSideEncryption: 'aws:kms' as const, SSEKMSKeyId: kmsKeyId }),
    ...(connection.checksums === 'crc32' ? { ChecksumAlgorithm: 'CRC32' as const } : {}),
  });
  return withRetries(connection, target, request.signal, async () => {
    const { UploadId: uploadId } = await client.send(command);
    if (uploadId === undefined) throw emptyAnswer();
    return { bucket, key, uploadId };
  });
}

/**
 * Makes the object of the parts. An attempt whose answer was lost may have done it: then the next one is told
 * NoSuchUpload, and the object itself is asked for.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
 */
export async function completeMultipartUpload(
  connection: S3Connection,
  upload: MultipartUpload,
  parts: readonly UploadedPart[],
  bytes: number,
): Promise<{ etag: string | undefined }> {
  const { CompleteMultipartUploadCommand } = await loadS3Sdk();
  const client = await connection.client();
  const target = await connection.target('CompleteMultipartUpload', upload);
  const command = new CompleteMultipartUploadCommand({
    Bucket: upload.bucket,
    Key: upload.key,
    UploadId: upload.uploadId,
    MultipartUpload: { Parts: parts.map(toCompletedPart) },
  });
  try {
    return await withRetries(connection, target, undefined, async () => {
      const { ETag: etag } = await client.send(command);
      if (etag === undefined) throw emptyAnswer();
      return { etag };
    });
  } catch (error) {
    const mayBeCompleted = isUploadError(error) && error.s3Code === 'NoSuchUpload' && error.outcomeUnknown;
    if (mayBeCompleted && (await isStored(connection, upload, bytes))) return { etag: undefined };
    throw error;
  }
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_AbortMultipartUpload.html. One that is gone is no error. */
export async function abortMultipartUpload(
  connection: S3Connection,
  upload: MultipartUpload,
  signal?: AbortSignal,
): Promise<void> {
  const { AbortMultipartUploadCommand } = await loadS3Sdk();
  const client = await connection.client();
  const target = await connection.target('AbortMultipartUpload', upload);
  try {
    await withRetries(connection, target, signal, () =>
      client.send(
        new AbortMultipartUploadCommand({
          Bucket: upload.bucket,
          Key: upload.key,
          UploadId: upload.uploadId,
        }),
        signal === undefined ? {} : { abortSignal: signal },
      ),
    );
  } catch (error) {
    if (!isUploadError(error) || error.s3Code !== 'NoSuchUpload') throw error;
  }
}

/**
 * The open uploads of one object that were begun in a span of time. Needs s3:ListBucketMultipartUploads.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html
 */
export async function findMultipartUploads(
  connection: S3Connection,
  object: { bucket: string; key: string },
  { from, to }: { from: Date; to: Date },
): Promise<MultipartUpload[]> {
  const { bucket, key } = object;
  const { ListMultipartUploadsCommand } = await loadS3Sdk();
  const client = await connection.client();
  const uploads: MultipartUpload[] = [];
  let marker: { KeyMarker?: string | undefined; UploadIdMarker?: string | undefined } = {};
  for (;;) {
    const page = await client.send(
      new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: key, ...marker }),
    );
    for (const { Key, UploadId: uploadId, Initiated: begun } of page.Uploads ?? []) {
      const isMeant = Key === key && begun !== undefined && begun >= from && begun <= to;
      if (isMeant && uploadId !== undefined) uploads.push({ bucket, key, uploadId });
    }
    if (page.IsTruncated !== true) return uploads;
    marker = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker };
  }
}

function toCompletedPart({ partNumber, etag, checksum }: UploadedPart): CompletedPart {
  return {
    PartNumber: partNumber,
    ...(etag === undefined ? {} : { ETag: etag }),
    ...(checksum === undefined ? {} : { ChecksumCRC32: checksum }),
  };
}

/**
 * An answer of 200 that does not tell what was made is none. S3 begins to answer CompleteMultipartUpload before it has
 * joined the parts, so this happens.
 */
function emptyAnswer(): Error {
  return Object.assign(new Error('the answer was empty'), {
    name: 'InternalError',
    $metadata: { httpStatusCode: 500 },
  });
}

/**
 * Only this process knows the upload's id, so an upload that is gone after a lost answer is a completed one, unless
 * the object itself says otherwise. A role that may only write is not told (403): that is no evidence against it.
 */
async function isStored(
  connection: S3Connection,
  { bucket, key }: MultipartUpload,
  bytes: number,
): Promise<boolean> {
  const { HeadObjectCommand } = await loadS3Sdk();
  const client = await connection.client();
  try {
    const { ContentLength: length } = await client.send(new HeadObjectCommand({ Bucket: bucket, Key: key }));
    return length === bytes;
  } catch (error) {
    return statusOf(error) === 403;
  }
}

function statusOf(error: unknown): number | undefined {
  const metadata =
    typeof error === 'object' && error !== null && '$metadata' in error ? error.$metadata : undefined;
  return typeof metadata === 'object' && metadata !== null && 'httpStatusCode' in metadata
    ? Number(metadata.httpStatusCode)
    : undefined;
}
