import {
  AttachRolePolicyCommand,
  CreatePolicyCommand,
  CreatePolicyVersionCommand,
  CreateRoleCommand,
  DetachRolePolicyCommand,
  PutRolePolicyCommand,
} from '@aws-sdk/client-iam';
import {
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  UploadPartCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allow, policy, policyArn, startIamServer, TRUST_RDS, type IamServer } from './iam-server.ts';

let server: IamServer;
let names = 0;

beforeAll(async () => {
  server = await startIamServer();
  for (const Bucket of ['first', 'second'])
    await server.s3().send(new CreateBucketCommand({ Bucket: `${Bucket}-bucket` }));
});

afterAll(() => server.stop());

/** Sends S3 requests as a new role with these statements. */
async function withStatements(...statements: object[]): Promise<{ s3: S3Client; RoleName: string }> {
  const RoleName = `role-${++names}`;
  const PolicyDocument = policy(...statements);
  await server.iam().send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: TRUST_RDS }));
  await server.iam().send(new PutRolePolicyCommand({ RoleName, PolicyName: 'p', PolicyDocument }));
  return { s3: server.s3(await server.assume(RoleName)), RoleName };
}

const put = (s3: S3Client, Bucket: string, Key: string) =>
  s3.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }));
const accessDenied = { name: 'AccessDenied', $metadata: { httpStatusCode: 403 } };

describe('a role', () => {
  it('that is allowed one bucket can not write to another', async () => {
    const { s3, RoleName } = await withStatements(allow('s3:PutObject', 'arn:aws:s3:::first-bucket/*'));
    await put(s3, 'first-bucket', 'k');
    await expect(put(s3, 'second-bucket', 'k')).rejects.toMatchObject({
      ...accessDenied,
      message: `User: arn:aws:sts::000000000000:assumed-role/${RoleName}/session is not authorized to perform: s3:PutObject on resource: "arn:aws:s3:::second-bucket/k" because no identity-based policy allows the s3:PutObject action`,
    });
  });

  it('that is allowed a prefix can not write elsewhere, nor where only the case differs', async () => {
    const { s3 } = await withStatements(allow('S3:putobject', 'arn:aws:s3:::first-bucket/exports/*'));
    await put(s3, 'first-bucket', 'exports/2026/k');
    for (const key of ['exports', 'Exports/k', 'other/exports/k']) {
      await expect(put(s3, 'first-bucket', key)).rejects.toMatchObject(accessDenied);
    }
  });

  it('is denied by a Deny, whatever else allows it', async () => {
    const { s3, RoleName } = await withStatements(allow('s3:*', '*'), {
      Effect: 'Deny',
      Action: 's3:PutObject',
      Resource: 'arn:aws:s3:::first-bucket/secret/*',
    });
    const PolicyArn = 'arn:aws:iam::aws:policy/AdministratorAccess';
    await server.iam().send(new AttachRolePolicyCommand({ RoleName, PolicyArn }));
    await put(s3, 'first-bucket', 'open/k');
    await expect(put(s3, 'first-bucket', 'secret/k')).rejects.toMatchObject({
      message: expect.stringMatching(/ with an explicit deny in an identity-based policy$/),
    });
  });

  it('gains and loses at once what is attached, detached or made another version', async () => {
    const { s3, RoleName } = await withStatements(allow('s3:None', '*'));
    const iam = server.iam();
    const PolicyName = 'versions-count';
    const PolicyArn = policyArn(PolicyName);
    await iam.send(
      new CreatePolicyCommand({ PolicyName, PolicyDocument: policy(allow('s3:PutObject', '*')) }),
    );
    await expect(put(s3, 'first-bucket', 'k')).rejects.toMatchObject(accessDenied);
    await iam.send(new AttachRolePolicyCommand({ RoleName, PolicyArn }));
    await put(s3, 'first-bucket', 'k');
    const PolicyDocument = policy(allow('s3:GetObject', '*'));
    await iam.send(new CreatePolicyVersionCommand({ PolicyArn, PolicyDocument, SetAsDefault: true }));
    await expect(put(s3, 'first-bucket', 'k')).rejects.toMatchObject(accessDenied);
    await s3.send(new GetObjectCommand({ Bucket: 'first-bucket', Key: 'k' }));
    await iam.send(new DetachRolePolicyCommand({ RoleName, PolicyArn }));
    await expect(s3.send(new GetObjectCommand({ Bucket: 'first-bucket', Key: 'k' }))).rejects.toMatchObject(
      accessDenied,
    );
  });

  it('that may not list is not told whether a key exists', async () => {
    const Bucket = 'first-bucket';
    const reads = await withStatements(allow('s3:GetObject', '*'));
    const lists = await withStatements(allow(['s3:GetObject', 's3:ListBucket'], '*'));
    await expect(reads.s3.send(new GetObjectCommand({ Bucket, Key: 'none' }))).rejects.toMatchObject({
      ...accessDenied,
      message: expect.stringContaining('perform: s3:ListBucket on resource: "arn:aws:s3:::first-bucket"'),
    });
    await expect(reads.s3.send(new HeadObjectCommand({ Bucket, Key: 'none' }))).rejects.toMatchObject({
      $metadata: { httpStatusCode: 403 },
    });
    await expect(lists.s3.send(new GetObjectCommand({ Bucket, Key: 'none' }))).rejects.toMatchObject({
      name: 'NoSuchKey',
    });
    await expect(lists.s3.send(new HeadObjectCommand({ Bucket, Key: 'none' }))).rejects.toMatchObject({
      name: 'NotFound',
    });
  });

  it('is told that a bucket does not exist, whatever it may do', async () => {
    const { s3 } = await withStatements(allow('s3:None', '*'));
    await expect(put(s3, 'no-such-bucket', 'k')).rejects.toMatchObject({ name: 'NoSuchBucket' });
  });
});

describe('a condition', () => {
  it('on s3:prefix lets only that prefix be listed', async () => {
    const Bucket = 'first-bucket';
    const { s3 } = await withStatements(
      allow('s3:ListBucket', 'arn:aws:s3:::first-bucket', {
        Condition: {
          StringLike: { 's3:prefix': 'exports/*' },
          NumericLessThanEquals: { 's3:max-keys': '10' },
        },
      }),
    );
    await s3.send(new ListObjectsV2Command({ Bucket, Prefix: 'exports/', MaxKeys: 10 }));
    for (const other of [{}, { Prefix: 'x/', MaxKeys: 10 }, { Prefix: 'exports/', MaxKeys: 11 }]) {
      await expect(s3.send(new ListObjectsV2Command({ Bucket, ...other }))).rejects.toMatchObject(
        accessDenied,
      );
    }
  });

  it('on encryption holds for an upload in parts, whose parts do not repeat it', async () => {
    const target = { Bucket: 'first-bucket', Key: 'encrypted' };
    const { s3 } = await withStatements(
      allow('s3:PutObject', '*', {
        Condition: {
          StringEquals: { 's3:x-amz-server-side-encryption': 'aws:kms' },
          ArnLike: { 's3:x-amz-server-side-encryption-aws-kms-key-id': 'arn:aws:kms:*:*:key/good' },
        },
      }),
    );
    const encryption = {
      ServerSideEncryption: 'aws:kms',
      SSEKMSKeyId: 'arn:aws:kms:eu-central-1:000000000000:key/good',
    } as const;
    await s3.send(new PutObjectCommand({ ...target, ...encryption, Body: 'x' }));
    await expect(s3.send(new PutObjectCommand({ ...target, Body: 'x' }))).rejects.toMatchObject(accessDenied);
    await expect(
      s3.send(
        new PutObjectCommand({
          ...target,
          ...encryption,
          SSEKMSKeyId: 'arn:aws:kms:eu-central-1:000000000000:key/bad',
          Body: 'x',
        }),
      ),
    ).rejects.toMatchObject(accessDenied);
    await expect(s3.send(new CreateMultipartUploadCommand(target))).rejects.toMatchObject(accessDenied);

    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ ...target, ...encryption }));
    const { ETag } = await s3.send(new UploadPartCommand({ ...target, UploadId, PartNumber: 1, Body: 'x' }));
    await s3.send(
      new CompleteMultipartUploadCommand({
        ...target,
        UploadId,
        MultipartUpload: { Parts: [{ PartNumber: 1, ETag }] },
      }),
    );
    const plain = await server.s3().send(new CreateMultipartUploadCommand(target));
    await expect(
      s3.send(new UploadPartCommand({ ...target, UploadId: plain.UploadId, PartNumber: 1, Body: 'x' })),
    ).rejects.toMatchObject(accessDenied);
  });

  it.each([
    ['IpAddress', { 'aws:SourceIp': '127.0.0.0/8' }, true],
    ['NotIpAddress', { 'aws:SourceIp': '127.0.0.0/8' }, false],
    ['Bool', { 'aws:SecureTransport': 'true' }, false],
    ['Bool', { 'aws:SecureTransport': 'false' }, true],
    ['DateLessThan', { 'aws:CurrentTime': '2000-01-01T00:00:00Z' }, false],
    ['DateGreaterThan', { 'aws:CurrentTime': '2000-01-01T00:00:00Z' }, true],
    ['ArnLike', { 'aws:PrincipalArn': 'arn:aws:iam::000000000000:role/role-*' }, true],
    ['StringEquals', { 'aws:ResourceAccount': '000000000000' }, true],
    ['StringEquals', { 'aws:RequestedRegion': 'eu-central-1' }, true],
    ['Bool', { 'aws:MultiFactorAuthPresent': 'false' }, true],
    ['DateGreaterThan', { 'aws:TokenIssueTime': '2000-01-01T00:00:00Z' }, true],
    ['StringEquals', { 's3:RequestObjectTag/kind': 'report' }, true],
    ['ForAllValues:StringEquals', { 's3:RequestObjectTagKeys': ['kind'] }, true],
    ['ForAnyValue:StringEquals', { 's3:RequestObjectTagKeys': ['other'] }, false],
  ])('%s of %o holds: %s', async (operator, keys, holds) => {
    const { s3 } = await withStatements(
      allow(['s3:PutObject', 's3:PutObjectTagging'], '*', { Condition: { [operator]: keys } }),
    );
    const sent = s3.send(
      new PutObjectCommand({ Bucket: 'first-bucket', Key: 'c', Body: 'x', Tagging: 'kind=report' }),
    );
    const outcome = await sent.then(
      () => 'allowed',
      (error: unknown) => (error instanceof Error ? error.name : error),
    );
    expect(outcome).toBe(holds ? 'allowed' : 'AccessDenied');
  });
});
