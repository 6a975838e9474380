import { loadS3Sdk, type S3Connection } from './connection.ts';
import type { MultipartUpload } from './multipart-upload.ts';
import { withRetries } from './retries.ts';
import type { S3Uri } from './s3-uri.ts';
import { serverDateOf } from './server-date.ts';
import { steadyNow } from '../steady-clock.ts';

/** By this host's clock, in milliseconds since 1970. */
export interface TimeSpan {
  from: number;
  to: number;
}

/**
 * The open uploads of one object that were begun within a span of time. S3 gives the times by its own clock; the
 * difference to this host's clock is computed from the answer's Date header. Needs s3:ListBucketMultipartUploads.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html
 */
export async function findMultipartUploads(
  connection: S3Connection,
  { bucket, key }: S3Uri,
  { from, to }: TimeSpan,
  { signal }: { signal?: AbortSignal | undefined } = {},
): Promise<MultipartUpload[]> {
  const { ListMultipartUploadsCommand } = await loadS3Sdk();
  const client = await connection.client();
  const target = await connection.target('ListMultipartUploads', { bucket, key });
  const uploads: MultipartUpload[] = [];
  let marker: { KeyMarker?: string | undefined; UploadIdMarker?: string | undefined } = {};
  for (;;) {
    let aheadMs = 0;
    const page = await withRetries(connection, target, signal, () => {
      const command = new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: key, ...marker });
      command.middlewareStack.add(
        (next) => async (args) => {
          const result = await next(args);
          aheadMs = (serverDateOf(result.response) ?? Date.now()) - steadyNow();
          return result;
        },
        { step: 'deserialize' },
      );
      return client.send(command, signal === undefined ? {} : { abortSignal: signal });
    });
    for (const { Key, UploadId: uploadId, Initiated: begun } of page.Uploads ?? []) {
      if (Key !== key || uploadId === undefined || begun === undefined) continue;
      const begunAt = begun.getTime() - aheadMs;
      if (begunAt >= from && begunAt <= to) uploads.push({ bucket, key, uploadId });
    }
    // The list is sorted by key, so keys that only begin with this one come after it.
    const isPast = page.Uploads?.at(-1)?.Key !== key;
    if (page.IsTruncated !== true || isPast) return uploads;
    marker = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker };
  }
}
