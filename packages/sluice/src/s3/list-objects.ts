import { loadS3Sdk, type S3Connection } from './connection.ts';
import { withRetries } from './retries.ts';

/** An object as a list of the bucket shows it. */
export interface ListedObject {
  key: string;
  bytes: number;
  etag: string | undefined;
}

/**
 * The objects whose keys begin with a prefix, in the order of their keys. Needs s3:ListBucket.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
 *
 * @throws UploadError, or the signal's reason
 */
export async function* listObjects(
  connection: S3Connection,
  { bucket, prefix }: { bucket: string; prefix: string },
  { signal }: { signal?: AbortSignal | undefined } = {},
): AsyncGenerator<ListedObject, void, void> {
  const { ListObjectsV2Command } = await loadS3Sdk();
  const client = await connection.client();
  const target = await connection.target('ListObjectsV2', { bucket, key: prefix });
  let token: string | undefined;
  do {
    const command = new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, ContinuationToken: token });
    const page = await withRetries(connection, target, signal, () =>
      client.send(command, signal === undefined ? {} : { abortSignal: signal }),
    );
    for (const { Key: key, Size: bytes = 0, ETag: etag } of page.Contents ?? []) {
      if (key !== undefined) yield { key, bytes, etag };
    }
    token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
  } while (token !== undefined);
}
