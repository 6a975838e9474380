import type { S3Operation } from './s3-target.ts';

/**
 * What errors call the things that their reader can change. The same failure is read by somebody who has called an SQL
 * function, typed a command or written a program; whoever makes the connection to S3 says which.
 */
export interface ErrorWords {
  /** The message: what could not be done. */
  failure: (operation: S3Operation) => string;
  /** Where the Region of the bucket is given. */
  region: string;
  /** How a Region is given there: what follows "give". */
  thisRegion: (region: string) => string;
  /** Where another store than Amazon S3 is given. */
  endpoint: string;
  /** Where certificates to trust are given. */
  ca: string;
  /** Who makes the requests, when no role is known. */
  identity: string;
  /** What to do about credentials that S3 does not know; without a full stop. */
  checkCredentials: string;
  /** What to do about credentials that have expired; without a full stop. */
  renewCredentials: string;
}

/** For programs that make an S3Connection. */
export const LIBRARY_WORDS: ErrorWords = {
  failure: failureMessage,
  region: 'the region of the S3Connection',
  thisRegion: (region) => `'${region}' as the region of the S3Connection`,
  endpoint: 'the endpoint of the S3Connection',
  ca: 'the ca of the S3Connection',
  identity: 'The identity of the S3Connection',
  checkCredentials: 'check where they come from',
  renewCredentials: 'renew their source',
};

export function failureMessage(operation: S3Operation): string {
  switch (operation) {
    case 'ListObjectsV2':
    case 'ListMultipartUploads':
      return 'could not list the bucket in Amazon S3';
    case 'HeadObject':
      return 'could not look at an object in Amazon S3';
    case 'DeleteObject':
    case 'DeleteObjectVersion':
      return 'could not delete an object in Amazon S3';
    case 'AbortMultipartUpload':
      return 'could not abort an upload to Amazon S3';
    case 'PutObject':
    case 'CreateMultipartUpload':
    case 'UploadPart':
    case 'CompleteMultipartUpload':
      return 'could not upload to Amazon S3';
    default:
      return operation satisfies never;
  }
}
