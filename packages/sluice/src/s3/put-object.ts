import type { Body } from './body.ts';
import type { S3Connection } from './connection.ts';
import { type ObjectSettings, settingsHeaders } from './object-settings.ts';
import { putBytes, type StoredBytes } from './put.ts';

export interface PutObjectRequest extends ObjectSettings {
  bucket: string;
  key: string;
  body: Body;
  signal?: AbortSignal | undefined;
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html */
export async function putObject(connection: S3Connection, request: PutObjectRequest): Promise<StoredBytes> {
  return putBytes(connection, {
    target: await connection.target('PutObject', request),
    query: {},
    headers: settingsHeaders(request),
    body: request.body,
    signal: request.signal,
  });
}
