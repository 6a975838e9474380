import type { CompletedPart } from '@aws-sdk/client-s3';
import { isSluiceError, SluiceError } from '../errors.ts';
import { loadS3Sdk, type S3Connection } from './connection.ts';
import { emptyAnswer, requireNoContent } from './empty-answer.ts';
import { settingsHeaders, type ObjectSettings } from './object-settings.ts';
import { withRetries } from './retries.ts';
import { describeFailure } from './s3-failure.ts';
import { headObject } from './stored-object.ts';
import { isLastingRefusal, isUploadError, mayHaveBeenDone } from './upload-error.ts';

/** An upload that S3 keeps (and charges for) until it is completed or aborted. */
export interface MultipartUpload {
  bucket: string;
  key: string;
  uploadId: string;
}

export interface UploadedPart {
  partNumber: number;
  etag: string;
  checksum: string | undefined;
}

/** What became of one attempt to open an upload. */
export interface OpeningAttempt {
  opened(upload: MultipartUpload): void | Promise<void>;
  /** S3 has not opened one. */
  refused(): void | Promise<void>;
  /** S3 may have opened one: its answer was lost, or did not say. */
  lost(): void | Promise<void>;
}

export interface CreateMultipartUploadRequest extends ObjectSettings {
  bucket: string;
  key: string;
  /** Called before each attempt. When it throws, the attempt is not made. */
  onAttempt?: (() => Promise<OpeningAttempt | undefined>) | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Opens a multipart upload. The signal prevents further attempts, but does not break off the one in flight: without its
 * answer the upload's id would be unknown, and the upload could not be aborted. An attempt whose answer is lost may
 * leave an upload open whose id is unknown, even if the next attempt succeeds; `onAttempt` lets the caller look for it.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateMultipartUpload.html
 */
export async function createMultipartUpload(
  connection: S3Connection,
  request: CreateMultipartUploadRequest,
): Promise<MultipartUpload> {
  const { bucket, key } = request;
  const { CreateMultipartUploadCommand } = await loadS3Sdk();
  const client = await connection.client();
  const target = await connection.target('CreateMultipartUpload', request);
  const command = new CreateMultipartUploadCommand({
    Bucket: bucket,
    Key: key,
    ...(connection.checksums === 'crc32' ? { ChecksumAlgorithm: 'CRC32' as const } : {}),
  });
  // Not by the SDK's own fields, so that an object has the same settings with parts and without.
  const headers = settingsHeaders(request);
  command.middlewareStack.add(
    (next) => (args) => {
      if (hasHeaders(args.request)) Object.assign(args.request.headers, headers);
      return next(args);
    },
    { step: 'build' },
  );
  const { upload, attempt: noted } = await withRetries(connection, target, request.signal, async () => {
    const attempt = await noteAttempt(request);
    let uploadId: string | undefined;
    try {
      ({ UploadId: uploadId } = await client.send(command));
      if (uploadId === undefined) throw emptyAnswer();
    } catch (error) {
      const failure = describeFailure(error);
      const isKnown = isSluiceError(error) || (failure !== undefined && !mayHaveBeenDone(failure));
      // A failure to note it is ignored, so that the error of the attempt is thrown. The note then stays as it was.
      await Promise.allSettled([isKnown ? attempt?.refused() : attempt?.lost()]);
      throw error;
    }
    return { upload: { bucket, key, uploadId }, attempt };
  });
  await noted?.opened(upload);
  return upload;
}

function hasHeaders(request: unknown): request is { headers: Record<string, string> } {
  return typeof request === 'object' && request !== null && 'headers' in request;
}

/** Wraps the error in a SluiceError: a file system error looks like a network error, and would be retried as one. */
async function noteAttempt(request: CreateMultipartUploadRequest): Promise<OpeningAttempt | undefined> {
  try {
    return await request.onAttempt?.();
  } catch (cause) {
    throw new SluiceError('internal', 'could not note a multipart upload before it is begun', {
      detail: cause instanceof Error ? cause.message : String(cause),
      cause,
    });
  }
}

export interface CompletedUpload {
  /** Undefined when the answer was lost, and the role may not look at the object. */
  etag: string | undefined;
  versionId: string | undefined;
}

/**
 * Completes a multipart upload. If an attempt has succeeded and its answer was lost, the next attempt gets
 * NoSuchUpload; then the object is looked for.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
 */
export async function completeMultipartUpload(
  connection: S3Connection,
  upload: MultipartUpload,
  {
    parts,
    bytes,
    signal,
  }: { parts: readonly UploadedPart[]; bytes: number; signal?: AbortSignal | undefined },
): Promise<CompletedUpload> {
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
    return await withRetries(connection, target, signal, async () => {
      const answer = await client.send(command, signal === undefined ? {} : { abortSignal: signal });
      if (answer.ETag === undefined) throw emptyAnswer();
      return { etag: answer.ETag, versionId: answer.VersionId };
    });
  } catch (error) {
    const mayBeCompleted = isUploadError(error) && error.s3Code === 'NoSuchUpload' && error.outcomeUnknown;
    const completed = mayBeCompleted ? await findCompleted(connection, upload, bytes, signal) : undefined;
    if (completed !== undefined) return completed;
    throw error;
  }
}

/**
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_AbortMultipartUpload.html. An upload that does not exist is no
 * error.
 *
 * @returns true when the upload existed; false when it was completed or aborted before
 */
export async function abortMultipartUpload(
  connection: S3Connection,
  upload: MultipartUpload,
  signal?: AbortSignal,
): Promise<boolean> {
  const { AbortMultipartUploadCommand } = await loadS3Sdk();
  const client = await connection.client();
  const target = await connection.target('AbortMultipartUpload', upload);
  try {
    await withRetries(connection, target, signal, async () => {
      const answer = await client.send(
        new AbortMultipartUploadCommand({
          Bucket: upload.bucket,
          Key: upload.key,
          UploadId: upload.uploadId,
        }),
        signal === undefined ? {} : { abortSignal: signal },
      );
      requireNoContent(answer);
    });
    return true;
  } catch (error) {
    if (!isUploadError(error) || error.s3Code !== 'NoSuchUpload') throw error;
    return false;
  }
}

function toCompletedPart({ partNumber, etag, checksum }: UploadedPart): CompletedPart {
  return {
    PartNumber: partNumber,
    ETag: etag,
    ...(checksum === undefined ? {} : { ChecksumCRC32: checksum }),
  };
}

/**
 * Only this process knows the upload's id. So when the upload is gone after a lost answer, it has been completed,
 * unless the object has another length. If the role may not look at the object (403), the upload counts as completed.
 */
async function findCompleted(
  connection: S3Connection,
  upload: MultipartUpload,
  bytes: number,
  signal: AbortSignal | undefined,
): Promise<CompletedUpload | undefined> {
  try {
    const object = await headObject(connection, upload, { signal });
    return object?.bytes === bytes ? { etag: object.etag, versionId: object.versionId } : undefined;
  } catch (error) {
    const isDenied = isLastingRefusal(error) && error.httpStatus === 403;
    return isDenied ? { etag: undefined, versionId: undefined } : undefined;
  }
}
