import type { S3Uri } from '../s3/s3-uri.ts';

/** An object that an export makes, or has made. */
export interface PublishedObject extends S3Uri {
  /** Undefined for a PutObject. */
  uploadId?: string | undefined;
  bytes: number;
  /** As S3 keeps it: CRC32 in base64, with the number of parts behind it for a multipart upload. */
  checksum?: string | undefined;
  /** When S3 was first asked to make it, by our clock, in milliseconds since 1970. */
  askedAt: number;
  /** Known when S3 has answered that it is stored. */
  etag?: string | undefined;
  /** In a bucket with versions. */
  versionId?: string | undefined;
}
