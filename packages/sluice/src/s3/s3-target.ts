import type { ErrorWords } from './error-words.ts';

/** The S3 operations of an export. `remedies.ts` has the IAM action that each needs. */
export type S3Operation =
  | 'PutObject'
  | 'CreateMultipartUpload'
  | 'UploadPart'
  | 'CompleteMultipartUpload'
  | 'AbortMultipartUpload'
  | 'ListMultipartUploads'
  | 'ListObjectsV2'
  | 'HeadObject'
  | 'DeleteObject'
  | 'DeleteObjectVersion';

/** What a request was about, for error messages. */
export interface S3Target {
  operation: S3Operation;
  bucket: string;
  key: string;
  region: string;
  /** Scheme, host and port that the request was sent to. */
  endpoint: string;
  kmsKeyId?: string | undefined;
  /** The request stores tags. */
  hasTags?: boolean | undefined;
  /** The role that the request was made as. */
  roleArn?: string | undefined;
  words: ErrorWords;
}
