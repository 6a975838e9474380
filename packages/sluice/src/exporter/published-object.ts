import type { S3Uri } from '../s3/s3-uri.ts';

/** An object that an export makes, or has made. */
export interface PublishedObject extends S3Uri {
  /** Undefined for a PutObject. */
  uploadId?: string | undefined;
  bytes: number;
  /** The checksum as S3 keeps it: CRC32 in base64; for a multipart upload followed by the number of parts. */
  checksum?: string | undefined;
  /** When S3 was first asked to make it: by this host's clock, in milliseconds since 1970. */
  askedAt: number;
  /** Set when S3 has answered that it is stored. */
  etag?: string | undefined;
  /** Set in a bucket with versions. */
  versionId?: string | undefined;
}
