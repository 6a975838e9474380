import type { NetworkFailure, S3Failure } from './s3-failure.ts';
import type { S3Operation, S3Target } from './s3-target.ts';

/** One sentence that says what to do about a failure; undefined where we do not know. */
export function describeRemedy(failure: S3Failure, target: S3Target): string | undefined {
  if (failure.network !== undefined) return NETWORK_REMEDIES[failure.network](target);
  return REMEDIES.find(({ when }) => when(failure))?.say(target, failure);
}

interface Remedy {
  when: (failure: S3Failure) => boolean;
  say: (target: S3Target, failure: S3Failure) => string;
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations.html, "Permissions" of each operation. */
const ACTIONS: Record<S3Operation, string> = {
  PutObject: 's3:PutObject',
  CreateMultipartUpload: 's3:PutObject',
  UploadPart: 's3:PutObject',
  CompleteMultipartUpload: 's3:PutObject',
  AbortMultipartUpload: 's3:AbortMultipartUpload',
  ListMultipartUploads: 's3:ListBucketMultipartUploads',
  ListObjectsV2: 's3:ListBucket',
  HeadObject: 's3:GetObject',
  DeleteObject: 's3:DeleteObject',
  DeleteObjectVersion: 's3:DeleteObjectVersion',
};

/** The IAM action that allows an operation. */
export function actionOf(operation: S3Operation): string {
  return ACTIONS[operation];
}

/** The first entry that matches is used. Codes: https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
const REMEDIES: readonly Remedy[] = [
  {
    when: ({ s3Code, message }) =>
      s3Code?.startsWith('KMS.') === true || (s3Code === 'AccessDenied' && /\bkms:/i.test(message)),
    say: (target) =>
      `${asker(target)} needs kms:GenerateDataKey and kms:Decrypt on the KMS key${target.kmsKeyId === undefined ? ' of the bucket' : ` ${target.kmsKeyId}`}, which must exist, be enabled, and be in the Region of the bucket.`,
  },
  {
    when: ({ s3Code, httpStatus }) =>
      s3Code === 'AccessDenied' ||
      s3Code === 'AllAccessDisabled' ||
      (s3Code === undefined && httpStatus === 403),
    say: (target, failure) =>
      `${asker(target)} needs ${deniedActions(target, failure)} on ${resourceArn(target)}${
        target.kmsKeyId === undefined ? '' : `, and kms:GenerateDataKey and kms:Decrypt on ${target.kmsKeyId}`
      }; look also at the policies of the bucket and its account.`,
  },
  {
    when: ({ s3Code }) => s3Code === 'NoSuchBucket',
    say: ({ bucket, endpoint, words }) =>
      `There is no bucket "${bucket}" at ${endpoint}: create it, or correct its name, ${words.region} or ${words.endpoint}.`,
  },
  {
    when: ({ s3Code, httpStatus }) =>
      s3Code === 'PermanentRedirect' ||
      s3Code === 'TemporaryRedirect' ||
      s3Code === 'AuthorizationHeaderMalformed' ||
      s3Code === 'IllegalLocationConstraintException' ||
      httpStatus === 301 ||
      httpStatus === 307,
    say: ({ bucket, region, words }, { bucketRegion }) =>
      bucketRegion === undefined || bucketRegion === region
        ? `The bucket "${bucket}" is not in the Region ${region}: give its Region in ${words.region}.`
        : `The bucket "${bucket}" is in the Region ${bucketRegion}, not ${region}: give ${words.thisRegion(bucketRegion)}.`,
  },
  {
    when: ({ s3Code }) =>
      s3Code === 'InvalidAccessKeyId' || s3Code === 'SignatureDoesNotMatch' || s3Code === 'InvalidToken',
    say: ({ endpoint, words }) =>
      `The credentials of the upload are not known at ${endpoint}: ${words.checkCredentials}.`,
  },
  {
    when: ({ s3Code }) => s3Code === 'RequestTimeTooSkewed',
    say: () => "This host's clock is too far from Amazon S3's: set it, and keep it set (NTP).",
  },
  {
    when: ({ s3Code }) =>
      s3Code === 'ExpiredToken' || s3Code === 'ExpiredTokenException' || s3Code === 'TokenRefreshRequired',
    say: ({ words }) =>
      `The credentials had expired, and asking for new ones gave expired ones again: ${words.renewCredentials}.`,
  },
  {
    when: ({ s3Code }) => s3Code === 'NoSuchUpload',
    say: () =>
      'The multipart upload was ended by somebody else: a lifecycle rule of the bucket may abort uploads too early.',
  },
  {
    when: ({ s3Code }) => s3Code === 'InvalidStorageClass',
    say: () =>
      'Storage classes of Amazon S3 are STANDARD, STANDARD_IA, ONEZONE_IA, INTELLIGENT_TIERING, GLACIER_IR, GLACIER and DEEP_ARCHIVE; other stores have their own.',
  },
  {
    when: ({ s3Code }) => s3Code === 'KeyTooLongError',
    say: () => 'Give a shorter file path.',
  },
  {
    when: ({ s3Code, httpStatus }) => s3Code === 'SlowDown' || httpStatus === 429 || (httpStatus ?? 0) >= 500,
    say: ({ endpoint }) =>
      `${endpoint} stayed unable to serve the request after several attempts: try again later.`,
  },
];

const NETWORK_REMEDIES: Record<NetworkFailure, (target: S3Target) => string> = {
  'name-not-found': ({ endpoint, region, words }) =>
    `The host name of ${endpoint} does not resolve: check ${words.region} (${region}), ${words.endpoint}, and DNS.`,
  refused: ({ endpoint, words }) =>
    `Nothing accepts connections at ${endpoint}: check ${words.endpoint}, and the way to it.`,
  'connect-timeout': ({ endpoint }) =>
    `${endpoint} did not accept a connection in time: check routes, firewalls and security groups.`,
  stalled: ({ endpoint }) =>
    `${endpoint} was reached, but the request made no progress: check the network to it.`,
  reset: ({ endpoint }) =>
    `The connection to ${endpoint} kept breaking: check the network to it, and proxies.`,
  tls: ({ endpoint, words }) =>
    `No trusted TLS connection to ${endpoint} could be made: check its certificate, and ${words.ca}.`,
  other: ({ endpoint }) => `The request to ${endpoint} could not be sent.`,
};

/** S3 mostly says which action it has denied. Tags need one of their own. */
function deniedActions({ operation, hasTags = false }: S3Target, { message }: S3Failure): string {
  const named = /not authorized to perform: (s3:\w+)/.exec(message)?.[1];
  return named ?? (hasTags ? `${ACTIONS[operation]} and s3:PutObjectTagging` : ACTIONS[operation]);
}

function asker({ roleArn, words }: S3Target): string {
  return roleArn === undefined ? words.identity : `The role ${roleArn}`;
}

/** A bucket is what lists are of; everything else is about one object. */
function resourceArn({ operation, bucket, key, region }: S3Target): string {
  const path =
    operation === 'ListMultipartUploads' || operation === 'ListObjectsV2' ? bucket : `${bucket}/${key}`;
  return `arn:${partitionOf(region)}:s3:::${path}`;
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html */
function partitionOf(region: string): string {
  if (region.startsWith('cn-')) return 'aws-cn';
  return region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws';
}
