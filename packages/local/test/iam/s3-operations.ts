import { createHash } from 'node:crypto';
import type { RawRequest, RawResponse } from '../s3/raw-request.ts';

/** One S3 operation: a request, and exactly the permissions that it needs. */
export interface OperationCase {
  /** The operation's name in the table of operations. */
  readonly operation: string;
  /** Set when an operation has several cases. */
  readonly when?: string;
  readonly request: Partial<RawRequest>;
  readonly needs: readonly (readonly [action: string, resource: string])[];
  /** Called by an administrator before each request. What it returns is added to the request. */
  readonly prepare?: (send: Send) => Promise<Partial<RawRequest> | undefined>;
  /** The status when the request is allowed. @default 200 */
  readonly status?: number;
}

export type Send = (request: Partial<RawRequest>) => Promise<RawResponse>;

export const BUCKET = 'operations';
const bucket = `arn:aws:s3:::${BUCKET}`;
const object = `${bucket}/dir/key`;
const path = `/${BUCKET}/dir/key`;

const putKey = async (send: Send) => {
  await send({ method: 'PUT', path, body: 'content' });
  return undefined;
};

async function beginUpload(send: Send): Promise<string> {
  const { body } = await send({ method: 'POST', path, query: { uploads: '' } });
  return /<UploadId>(.*?)<\/UploadId>/.exec(body)?.[1] ?? '';
}

const beginPart = async (send: Send) => ({ query: { partNumber: '1', uploadId: await beginUpload(send) } });

async function uploadPart(send: Send): Promise<Partial<RawRequest>> {
  const uploadId = await beginUpload(send);
  const { headers } = await send({
    method: 'PUT',
    path,
    query: { partNumber: '1', uploadId },
    body: 'x',
    headers: { 'content-md5': createHash('md5').update('x').digest('base64') },
  });
  return {
    query: { uploadId },
    body: `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${String(headers['etag'])}</ETag></Part></CompleteMultipartUpload>`,
  };
}

const copy = { 'x-amz-copy-source': `/${BUCKET}/source` };
const source = `${bucket}/source`;
const putSource = async (send: Send) => {
  await send({ method: 'PUT', path: `/${BUCKET}/source`, body: 'source' });
  return undefined;
};

const deleteBody = '<Delete><Object><Key>dir/key</Key></Object></Delete>';

function setting(operation: string, subresource: string, action: string, status = 200): OperationCase {
  return {
    operation,
    request: { method: 'GET', path: `/${BUCKET}`, query: { [subresource]: '' } },
    needs: [[action, bucket]],
    status,
  };
}

export const operationCases: readonly OperationCase[] = [
  {
    operation: 'ListBuckets',
    request: { method: 'GET', path: '/' },
    needs: [['s3:ListAllMyBuckets', '*']],
  },
  {
    operation: 'CreateBucket',
    request: { method: 'PUT', path: '/made' },
    needs: [['s3:CreateBucket', 'arn:aws:s3:::made']],
  },
  {
    operation: 'HeadBucket',
    request: { method: 'HEAD', path: `/${BUCKET}` },
    needs: [['s3:ListBucket', bucket]],
  },
  {
    operation: 'DeleteBucket',
    request: { method: 'DELETE', path: '/unmade' },
    prepare: async (send) => {
      await send({ method: 'PUT', path: '/unmade' });
      return undefined;
    },
    needs: [['s3:DeleteBucket', 'arn:aws:s3:::unmade']],
    status: 204,
  },
  setting('GetBucketLocation', 'location', 's3:GetBucketLocation'),
  {
    operation: 'ListObjects',
    request: { method: 'GET', path: `/${BUCKET}` },
    needs: [['s3:ListBucket', bucket]],
  },
  {
    operation: 'ListObjectsV2',
    request: { method: 'GET', path: `/${BUCKET}`, query: { 'list-type': '2' } },
    needs: [['s3:ListBucket', bucket]],
  },
  setting('ListMultipartUploads', 'uploads', 's3:ListBucketMultipartUploads'),
  setting('GetBucketVersioning', 'versioning', 's3:GetBucketVersioning'),
  setting('GetBucketLogging', 'logging', 's3:GetBucketLogging'),
  setting('GetBucketNotificationConfiguration', 'notification', 's3:GetBucketNotification'),
  setting('GetBucketAccelerateConfiguration', 'accelerate', 's3:GetAccelerateConfiguration'),
  setting('GetBucketRequestPayment', 'requestPayment', 's3:GetBucketRequestPayment'),
  setting('GetBucketEncryption', 'encryption', 's3:GetEncryptionConfiguration'),
  setting('GetBucketOwnershipControls', 'ownershipControls', 's3:GetBucketOwnershipControls'),
  setting('GetPublicAccessBlock', 'publicAccessBlock', 's3:GetBucketPublicAccessBlock'),
  setting('GetBucketPolicyStatus', 'policyStatus', 's3:GetBucketPolicyStatus'),
  setting('GetBucketAcl', 'acl', 's3:GetBucketAcl'),
  setting('GetBucketTagging', 'tagging', 's3:GetBucketTagging', 404),
  setting('GetBucketPolicy', 'policy', 's3:GetBucketPolicy', 404),
  setting('GetBucketCors', 'cors', 's3:GetBucketCORS', 404),
  setting('GetBucketLifecycleConfiguration', 'lifecycle', 's3:GetLifecycleConfiguration', 404),
  setting('GetBucketWebsite', 'website', 's3:GetBucketWebsite', 404),
  setting('GetBucketReplication', 'replication', 's3:GetReplicationConfiguration', 404),
  setting('GetObjectLockConfiguration', 'object-lock', 's3:GetBucketObjectLockConfiguration', 404),
  {
    operation: 'PutObject',
    request: { method: 'PUT', path, body: 'x' },
    needs: [['s3:PutObject', object]],
  },
  {
    operation: 'PutObject',
    when: 'with tags',
    request: { method: 'PUT', path, body: 'x', headers: { 'x-amz-tagging': 'a=b' } },
    needs: [
      ['s3:PutObject', object],
      ['s3:PutObjectTagging', object],
    ],
  },
  {
    operation: 'PutObject',
    when: 'with an ACL',
    request: { method: 'PUT', path, body: 'x', headers: { 'x-amz-acl': 'bucket-owner-full-control' } },
    needs: [
      ['s3:PutObject', object],
      ['s3:PutObjectAcl', object],
    ],
  },
  {
    operation: 'CopyObject',
    prepare: putSource,
    request: { method: 'PUT', path, headers: copy },
    needs: [
      ['s3:GetObject', source],
      ['s3:PutObject', object],
    ],
  },
  {
    operation: 'CopyObject',
    when: 'of an object with tags',
    prepare: async (send) => {
      await send({
        method: 'PUT',
        path: `/${BUCKET}/source`,
        body: 's',
        headers: { 'x-amz-tagging': 'a=b' },
      });
      return undefined;
    },
    request: { method: 'PUT', path, headers: copy },
    needs: [
      ['s3:GetObject', source],
      ['s3:GetObjectTagging', source],
      ['s3:PutObject', object],
      ['s3:PutObjectTagging', object],
    ],
  },
  {
    operation: 'GetObject',
    prepare: putKey,
    request: { method: 'GET', path },
    needs: [['s3:GetObject', object]],
  },
  {
    operation: 'GetObject',
    when: 'of a version',
    prepare: putKey,
    request: { method: 'GET', path, query: { versionId: 'null' } },
    needs: [['s3:GetObjectVersion', object]],
  },
  {
    operation: 'HeadObject',
    prepare: putKey,
    request: { method: 'HEAD', path },
    needs: [['s3:GetObject', object]],
  },
  {
    operation: 'DeleteObject',
    prepare: putKey,
    request: { method: 'DELETE', path },
    needs: [['s3:DeleteObject', object]],
    status: 204,
  },
  {
    operation: 'DeleteObject',
    when: 'of a version',
    prepare: putKey,
    request: { method: 'DELETE', path, query: { versionId: 'null' } },
    needs: [['s3:DeleteObjectVersion', object]],
    status: 204,
  },
  {
    operation: 'DeleteObjects',
    prepare: putKey,
    request: {
      method: 'POST',
      path: `/${BUCKET}`,
      query: { delete: '' },
      body: deleteBody,
      headers: { 'content-md5': createHash('md5').update(deleteBody).digest('base64') },
    },
    needs: [['s3:DeleteObject', object]],
  },
  {
    operation: 'CreateMultipartUpload',
    request: { method: 'POST', path, query: { uploads: '' } },
    needs: [['s3:PutObject', object]],
  },
  {
    operation: 'UploadPart',
    prepare: beginPart,
    request: { method: 'PUT', path, body: 'x' },
    needs: [['s3:PutObject', object]],
  },
  {
    operation: 'UploadPartCopy',
    prepare: async (send) => {
      await putSource(send);
      return beginPart(send);
    },
    request: { method: 'PUT', path, headers: copy },
    needs: [
      ['s3:GetObject', source],
      ['s3:PutObject', object],
    ],
  },
  {
    operation: 'CompleteMultipartUpload',
    prepare: uploadPart,
    request: { method: 'POST', path },
    needs: [['s3:PutObject', object]],
  },
  {
    operation: 'AbortMultipartUpload',
    prepare: async (send) => ({ query: { uploadId: await beginUpload(send) } }),
    request: { method: 'DELETE', path },
    needs: [['s3:AbortMultipartUpload', object]],
    status: 204,
  },
  {
    operation: 'ListParts',
    prepare: async (send) => ({ query: { uploadId: await beginUpload(send) } }),
    request: { method: 'GET', path },
    needs: [['s3:ListMultipartUploadParts', object]],
  },
  {
    operation: 'GetObjectAcl',
    prepare: putKey,
    request: { method: 'GET', path, query: { acl: '' } },
    needs: [['s3:GetObjectAcl', object]],
  },
  {
    operation: 'GetObjectTagging',
    prepare: putKey,
    request: { method: 'GET', path, query: { tagging: '' } },
    needs: [['s3:GetObjectTagging', object]],
  },
];
