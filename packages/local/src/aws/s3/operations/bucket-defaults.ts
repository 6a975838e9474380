import { onBucket, type BucketOperation } from '../operation.ts';
import { S3Error, type S3ErrorCode } from '../s3-error.ts';
import { writeXml, type XmlContent } from '../xml/write-xml.ts';
import { aclElements } from './acl-elements.ts';

/**
 * Settings that clients ask for and that can't be changed here. Each answers like S3 for a new bucket.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_Operations_Amazon_Simple_Storage_Service.html
 */
export const bucketDefaults: readonly BucketOperation[] = [
  setting('GetBucketVersioning', 'versioning', 's3:GetBucketVersioning', 'VersioningConfiguration', ''),
  setting('GetBucketLogging', 'logging', 's3:GetBucketLogging', 'BucketLoggingStatus', ''),
  setting(
    'GetBucketNotificationConfiguration',
    'notification',
    's3:GetBucketNotification',
    'NotificationConfiguration',
    '',
  ),
  setting(
    'GetBucketAccelerateConfiguration',
    'accelerate',
    's3:GetAccelerateConfiguration',
    'AccelerateConfiguration',
    '',
  ),
  setting(
    'GetBucketRequestPayment',
    'requestPayment',
    's3:GetBucketRequestPayment',
    'RequestPaymentConfiguration',
    [['Payer', 'BucketOwner']],
  ),
  setting(
    'GetBucketEncryption',
    'encryption',
    's3:GetEncryptionConfiguration',
    'ServerSideEncryptionConfiguration',
    [
      [
        'Rule',
        [
          ['ApplyServerSideEncryptionByDefault', [['SSEAlgorithm', 'AES256']]],
          ['BucketKeyEnabled', false],
        ],
      ],
    ],
  ),
  setting(
    'GetBucketOwnershipControls',
    'ownershipControls',
    's3:GetBucketOwnershipControls',
    'OwnershipControls',
    [['Rule', [['ObjectOwnership', 'BucketOwnerEnforced']]]],
  ),
  setting(
    'GetPublicAccessBlock',
    'publicAccessBlock',
    's3:GetBucketPublicAccessBlock',
    'PublicAccessBlockConfiguration',
    [
      ['BlockPublicAcls', true],
      ['IgnorePublicAcls', true],
      ['BlockPublicPolicy', true],
      ['RestrictPublicBuckets', true],
    ],
  ),
  setting('GetBucketPolicyStatus', 'policyStatus', 's3:GetBucketPolicyStatus', 'PolicyStatus', [
    ['IsPublic', false],
  ]),
  {
    ...asked('GetBucketAcl', 'acl', 's3:GetBucketAcl'),
    run: ({ accountId }) => ({ body: writeXml('AccessControlPolicy', aclElements(accountId)) }),
  },
  absent('GetBucketTagging', 'tagging', 's3:GetBucketTagging', 'NoSuchTagSet', 'The TagSet does not exist'),
  absent(
    'GetBucketPolicy',
    'policy',
    's3:GetBucketPolicy',
    'NoSuchBucketPolicy',
    'The bucket policy does not exist',
  ),
  absent(
    'GetBucketCors',
    'cors',
    's3:GetBucketCORS',
    'NoSuchCORSConfiguration',
    'The CORS configuration does not exist',
  ),
  absent(
    'GetBucketLifecycleConfiguration',
    'lifecycle',
    's3:GetLifecycleConfiguration',
    'NoSuchLifecycleConfiguration',
    'The lifecycle configuration does not exist',
  ),
  absent(
    'GetBucketWebsite',
    'website',
    's3:GetBucketWebsite',
    'NoSuchWebsiteConfiguration',
    'The specified bucket does not have a website configuration',
  ),
  absent(
    'GetBucketReplication',
    'replication',
    's3:GetReplicationConfiguration',
    'ReplicationConfigurationNotFoundError',
    'The replication configuration was not found',
  ),
  absent(
    'GetObjectLockConfiguration',
    'object-lock',
    's3:GetBucketObjectLockConfiguration',
    'ObjectLockConfigurationNotFoundError',
    'Object Lock configuration does not exist for this bucket',
  ),
];

function asked(name: string, subresource: string, action: string) {
  return {
    name,
    target: 'bucket',
    route: { method: 'GET', query: [subresource] },
    permissions: onBucket(action),
  } as const;
}

/** A setting that every bucket has. */
function setting(
  name: string,
  subresource: string,
  action: string,
  element: string,
  content: XmlContent,
): BucketOperation {
  return { ...asked(name, subresource, action), run: () => ({ body: writeXml(element, content) }) };
}

/** A setting that a new bucket does not have. */
function absent(
  name: string,
  subresource: string,
  action: string,
  code: S3ErrorCode,
  message: string,
): BucketOperation {
  return {
    ...asked(name, subresource, action),
    run({ bucketName }) {
      throw new S3Error(code, message, { details: { BucketName: bucketName } });
    },
  };
}
