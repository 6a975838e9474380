import type { Body } from './body.ts';
import type { S3Connection } from './connection.ts';
import type { MultipartUpload } from './multipart-upload.ts';
import { putBytes, type StoredBytes } from './put.ts';

/**
 * S3's limit for the number of parts in one upload. https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
 */
export const MAX_PARTS = 10_000;

export interface UploadPartRequest {
  upload: MultipartUpload;
  /** From 1. */
  partNumber: number;
  body: Body;
  signal?: AbortSignal | undefined;
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPart.html */
export async function uploadPart(connection: S3Connection, request: UploadPartRequest): Promise<StoredBytes> {
  return putBytes(connection, {
    target: await connection.target('UploadPart', request.upload),
    query: { partNumber: String(request.partNumber), uploadId: request.upload.uploadId },
    headers: {},
    body: request.body,
    signal: request.signal,
  });
}
