import { describe, expect, it } from 'vitest';
import { LIBRARY_WORDS } from './error-words.ts';
import type { S3Failure } from './s3-failure.ts';
import type { S3Target } from './s3-target.ts';
import { isTransient, UploadError } from './upload-error.ts';

const TARGET: S3Target = {
  operation: 'UploadPart',
  bucket: 'sample-bucket',
  key: 'a/b.csv',
  region: 'us-west-2',
  endpoint: 'https://sample-bucket.s3.us-west-2.amazonaws.com',
  words: LIBRARY_WORDS,
};

function failure(fields: Partial<S3Failure>): S3Failure {
  return {
    s3Code: undefined,
    message: 'message',
    httpStatus: undefined,
    requestId: undefined,
    serverDate: undefined,
    bucketRegion: undefined,
    network: undefined,
    cause: undefined,
    ...fields,
  };
}

function hintFor(fields: Partial<S3Failure>, target: Partial<S3Target> = {}): string | undefined {
  return new UploadError(failure(fields), { ...TARGET, ...target }, { outcomeUnknown: false }).hint;
}

describe('UploadError', () => {
  it("says what could not be done, and S3's reason", () => {
    const error = new UploadError(
      failure({ s3Code: 'AccessDenied', message: 'Access Denied', httpStatus: 403, requestId: 'R1' }),
      TARGET,
      { outcomeUnknown: false },
    );
    expect(error).toMatchObject({
      code: 'upload_failed',
      message: 'could not upload to Amazon S3',
      detail: "Amazon S3 client returned 'Access Denied'.",
      s3Code: 'AccessDenied',
      httpStatus: 403,
      operation: 'UploadPart',
      bucket: 'sample-bucket',
      key: 'a/b.csv',
      requestId: 'R1',
    });
  });

  it.each<[string, Partial<S3Failure>, Partial<S3Target>, string]>([
    [
      'the action and the object',
      { s3Code: 'AccessDenied' },
      {},
      's3:PutObject on arn:aws:s3:::sample-bucket/a/b.csv',
    ],
    [
      'another action',
      { s3Code: 'AccessDenied' },
      { operation: 'AbortMultipartUpload' },
      's3:AbortMultipartUpload on',
    ],
    [
      'the action of tags, too',
      { s3Code: 'AccessDenied' },
      { hasTags: true },
      's3:PutObject and s3:PutObjectTagging on arn:aws:s3:::sample-bucket/a/b.csv',
    ],
    [
      'the action that S3 names',
      { s3Code: 'AccessDenied', message: 'User: x is not authorized to perform: s3:PutObjectTagging on' },
      { hasTags: true },
      'needs s3:PutObjectTagging on arn:aws:s3:::sample-bucket/a/b.csv',
    ],
    ['storage classes', { s3Code: 'InvalidStorageClass', httpStatus: 400 }, {}, 'STANDARD_IA'],
    ['the partition', { s3Code: 'AccessDenied' }, { region: 'cn-north-1' }, 'arn:aws-cn:s3:::'],
    ['the partition', { httpStatus: 403 }, { region: 'us-gov-west-1' }, 'arn:aws-us-gov:s3:::'],
    [
      'the key that is asked for',
      { s3Code: 'AccessDenied' },
      { kmsKeyId: 'key-1' },
      'kms:GenerateDataKey and kms:Decrypt on key-1',
    ],
    [
      'the key of the bucket',
      { s3Code: 'AccessDenied', message: 'not authorized to perform: kms:GenerateDataKey' },
      {},
      'KMS key of the bucket',
    ],
    ['the key', { s3Code: 'KMS.DisabledException' }, { kmsKeyId: 'key-1' }, 'be enabled'],
    ['the bucket', { s3Code: 'NoSuchBucket' }, {}, 'There is no bucket "sample-bucket" at https://'],
    [
      'the right region',
      { s3Code: 'PermanentRedirect', bucketRegion: 'eu-west-1' },
      {},
      "give 'eu-west-1' as the region of the S3Connection",
    ],
    [
      'the right region',
      { s3Code: 'AuthorizationHeaderMalformed', bucketRegion: 'eu-west-1' },
      {},
      'in the Region eu-west-1, not us-west-2',
    ],
    ['the wrong region', { httpStatus: 301 }, {}, 'not in the Region us-west-2'],
    ['the credentials', { s3Code: 'InvalidAccessKeyId' }, {}, 'credentials of the upload are not known'],
    ['the credentials', { s3Code: 'SignatureDoesNotMatch' }, {}, 'credentials of the upload are not known'],
    ['the clock', { s3Code: 'RequestTimeTooSkewed' }, {}, 'clock'],
    ['the source of credentials', { s3Code: 'ExpiredToken' }, {}, 'renew their source'],
    ['to wait', { s3Code: 'SlowDown', httpStatus: 503 }, {}, 'try again later'],
    ['the endpoint', { network: 'refused' }, {}, TARGET.endpoint],
    ['the region', { network: 'name-not-found' }, {}, 'check the region of the S3Connection (us-west-2)'],
    ['the way', { network: 'connect-timeout' }, {}, 'firewalls'],
    ['the network', { network: 'stalled' }, {}, 'made no progress'],
    ['the certificate', { network: 'tls' }, {}, 'certificate'],
  ])('hints at %s: %j', (_, fields, target, hint) => {
    expect(hintFor(fields, target)).toContain(hint);
  });

  it('has no hint where we know none', () => {
    expect(hintFor({ s3Code: 'EntityTooLarge', httpStatus: 400 })).toBeUndefined();
  });

  it('adds notes behind the hint, and keeps the rest', () => {
    const error = new UploadError(failure({ s3Code: 'NoSuchBucket' }), TARGET, { outcomeUnknown: true });
    const noted = error.withNotes(['First.']).withNotes(['Second.']);
    expect(noted.hint).toBe(`${error.hint ?? ''} First. Second.`);
    expect(noted).toMatchObject({ detail: error.detail, s3Code: 'NoSuchBucket', outcomeUnknown: true });
  });
});

describe('isTransient', () => {
  it.each<[Partial<S3Failure>, boolean]>([
    [{ httpStatus: 500 }, true],
    [{ httpStatus: 503, s3Code: 'SlowDown' }, true],
    [{ httpStatus: 429 }, true],
    [{ httpStatus: 400, s3Code: 'RequestTimeout' }, true],
    [{ httpStatus: 501, s3Code: 'NotImplemented' }, false],
    [{ httpStatus: 400, s3Code: 'BadDigest' }, false],
    [{ httpStatus: 403, s3Code: 'AccessDenied' }, false],
    [{ httpStatus: 404, s3Code: 'NoSuchUpload' }, false],
    [{ network: 'reset' }, true],
    [{ network: 'stalled' }, true],
    [{ network: 'refused' }, true],
    [{ network: 'tls' }, false],
  ])('of %j is %s', (fields, expected) => {
    expect(isTransient(failure(fields))).toBe(expected);
  });
});
