import { describe, expect, it } from 'vitest';
import type { NetworkFailure, S3Failure } from '../s3/s3-failure.ts';
import type { S3Target } from '../s3/s3-target.ts';
import { UploadError } from '../s3/upload-error.ts';
import { COMMAND_WORDS } from './command-words.ts';

const TARGET: S3Target = {
  operation: 'CreateMultipartUpload',
  bucket: 'sample-bucket',
  key: 'a.csv',
  region: 'us-west-2',
  endpoint: 'https://sample-bucket.s3.us-west-2.amazonaws.com',
  words: COMMAND_WORDS,
};
const ANSWERS = [
  { s3Code: 'AccessDenied', httpStatus: 403 },
  { s3Code: 'KMS.NotFoundException', httpStatus: 400 },
  { s3Code: 'NoSuchBucket', httpStatus: 404 },
  { s3Code: 'PermanentRedirect', httpStatus: 301, bucketRegion: 'eu-west-1' },
  { s3Code: 'PermanentRedirect', httpStatus: 301 },
  { s3Code: 'InvalidAccessKeyId', httpStatus: 403 },
  { s3Code: 'SignatureDoesNotMatch', httpStatus: 403 },
  { s3Code: 'RequestTimeTooSkewed', httpStatus: 403 },
  { s3Code: 'ExpiredToken', httpStatus: 400 },
  { s3Code: 'NoSuchUpload', httpStatus: 404 },
  { s3Code: 'KeyTooLongError', httpStatus: 400 },
  { s3Code: 'SlowDown', httpStatus: 503 },
];
const NETWORK: NetworkFailure[] = [
  'name-not-found',
  'refused',
  'connect-timeout',
  'stalled',
  'reset',
  'tls',
  'other',
];

function errorOf(fields: Partial<S3Failure>, target: Partial<S3Target> = {}): UploadError {
  const failure = { s3Code: undefined, message: 'message', httpStatus: undefined, requestId: undefined };
  return new UploadError(
    {
      ...failure,
      serverDate: undefined,
      bucketRegion: undefined,
      network: undefined,
      cause: undefined,
      ...fields,
    },
    { ...TARGET, ...target },
    { outcomeUnknown: false },
  );
}

describe('an error of S3 in a command', () => {
  it.each([...ANSWERS, ...NETWORK.map((network) => ({ network }))])(
    'names no setting of SQL, the agent or the library: %j',
    (fields) => {
      const { message, hint } = errorOf(fields);
      expect(hint).toMatch(/\.$/);
      expect(`${message} ${hint ?? ''}`).not.toMatch(
        /argument|[Tt]he role|configured|sluice\.toml|S3Connection/,
      );
    },
  );

  it.each([
    [
      { s3Code: 'PermanentRedirect', bucketRegion: 'eu-west-1' },
      'is in the Region eu-west-1, not us-west-2: give --region eu-west-1.',
    ],
    [{ s3Code: 'PermanentRedirect' }, 'give its Region in --region.'],
    [{ s3Code: 'NoSuchBucket' }, 'or correct its name, --region or --endpoint'],
    [{ s3Code: 'AccessDenied' }, 'The identity of these AWS credentials needs s3:PutObject on'],
    [{ s3Code: 'ExpiredToken' }, 'AWS_SESSION_TOKEN'],
    [{ network: 'refused' as const }, 'check --endpoint'],
    [{ network: 'name-not-found' as const }, 'check --region (us-west-2), --endpoint'],
  ])('names its own options: %j', (fields, hint) => {
    expect(errorOf(fields).hint).toContain(hint);
  });

  it('says what it could not do', () => {
    expect(errorOf({ s3Code: 'AccessDenied' }, { operation: 'ListObjectsV2' }).message).toBe(
      'could not list the bucket in Amazon S3',
    );
  });
});
