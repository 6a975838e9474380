import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetBucketLocationCommand,
  GetBucketVersioningCommand,
  GetObjectAclCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  PutBucketVersioningCommand,
  PutObjectAclCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from './test-server.ts';

let server: TestServer;
const Bucket = 'objects-bucket';

beforeAll(async () => {
  server = await startTestServer();
  await server.client().send(new CreateBucketCommand({ Bucket }));
});

afterAll(() => server.stop());

describe('buckets', () => {
  it('are created, listed, located and deleted', async () => {
    const s3 = server.client();
    await s3.send(new CreateBucketCommand({ Bucket: 'first-bucket' }));
    const { Buckets } = await s3.send(new ListBucketsCommand({}));
    expect(Buckets?.map(({ Name }) => Name)).toContain('first-bucket');
    expect(Buckets?.find(({ Name }) => Name === 'first-bucket')?.CreationDate).toBeInstanceOf(Date);
    const head = await s3.send(new HeadBucketCommand({ Bucket: 'first-bucket' }));
    expect(head.BucketRegion).toBe('eu-central-1');
    const location = await s3.send(new GetBucketLocationCommand({ Bucket: 'first-bucket' }));
    expect(location.LocationConstraint).toBe('eu-central-1');
    await s3.send(new DeleteBucketCommand({ Bucket: 'first-bucket' }));
    await expect(s3.send(new HeadBucketCommand({ Bucket: 'first-bucket' }))).rejects.toMatchObject({
      $metadata: { httpStatusCode: 404 },
    });
  });

  it('in us-east-1 have no location constraint', async () => {
    const s3 = server.client({ region: 'us-east-1' });
    await s3.send(new CreateBucketCommand({ Bucket: 'east-bucket' }));
    const location = await s3.send(new GetBucketLocationCommand({ Bucket: 'east-bucket' }));
    expect(location.LocationConstraint).toBeUndefined();
  });

  it('may be made in another region, which requests must then be signed for', async () => {
    const s3 = server.client();
    await s3.send(
      new CreateBucketCommand({
        Bucket: 'west-bucket',
        CreateBucketConfiguration: { LocationConstraint: 'us-west-2' },
      }),
    );
    await expect(
      s3.send(new PutObjectCommand({ Bucket: 'west-bucket', Key: 'k', Body: 'x' })),
    ).rejects.toMatchObject({ name: 'PermanentRedirect' });
    const west = server.client({ region: 'us-west-2' });
    await west.send(new PutObjectCommand({ Bucket: 'west-bucket', Key: 'k', Body: 'x' }));
    const following = server.client({ followRegionRedirects: true });
    const head = await following.send(new HeadObjectCommand({ Bucket: 'west-bucket', Key: 'k' }));
    expect(head.ContentLength).toBe(1);
  });

  it.each([
    ['Upper-Case', 'InvalidBucketName'],
    ['under_score', 'InvalidBucketName'],
    ['192.168.5.4', 'InvalidBucketName'],
    [Bucket, 'BucketAlreadyOwnedByYou'],
  ])('%s cannot be created: %s', async (name, code) => {
    await expect(server.client().send(new CreateBucketCommand({ Bucket: name }))).rejects.toMatchObject({
      name: code,
    });
  });

  it('are only deleted when empty', async () => {
    const s3 = server.client();
    await s3.send(new CreateBucketCommand({ Bucket: 'full-bucket' }));
    await s3.send(new PutObjectCommand({ Bucket: 'full-bucket', Key: 'k', Body: 'x' }));
    await expect(s3.send(new DeleteBucketCommand({ Bucket: 'full-bucket' }))).rejects.toMatchObject({
      name: 'BucketNotEmpty',
    });
  });

  it('that do not exist are NoSuchBucket', async () => {
    await expect(
      server.client().send(new PutObjectCommand({ Bucket: 'no-such-bucket', Key: 'k', Body: 'x' })),
    ).rejects.toMatchObject({ name: 'NoSuchBucket', $metadata: { httpStatusCode: 404 } });
  });
});

describe('objects', () => {
  it('give back bytes, type, metadata, encryption and tags', async () => {
    const s3 = server.client();
    const body = randomBytes(300_000);
    const put = await s3.send(
      new PutObjectCommand({
        Bucket,
        Key: 'a/b.csv',
        Body: body,
        ContentType: 'text/csv',
        CacheControl: 'no-store',
        ContentEncoding: 'identity',
        ContentDisposition: 'attachment',
        Metadata: { origin: 'sluice', 'Second-Name': 'x y' },
        ServerSideEncryption: 'aws:kms',
        SSEKMSKeyId: 'arn:aws:kms:eu-central-1:123456789012:key/abc',
        ACL: 'bucket-owner-full-control',
        StorageClass: 'STANDARD_IA',
        Tagging: 'team=data&stage=test',
      }),
    );
    expect(put.ETag).toBe(`"${createHash('md5').update(body).digest('hex')}"`);
    expect(put.ServerSideEncryption).toBe('aws:kms');
    expect(put.SSEKMSKeyId).toBe('arn:aws:kms:eu-central-1:123456789012:key/abc');
    expect(put.ChecksumCRC32).toMatch(/^[\w+/]{6}==$/);

    const got = await s3.send(new GetObjectCommand({ Bucket, Key: 'a/b.csv' }));
    expect(Buffer.from((await got.Body?.transformToByteArray()) ?? []).equals(body)).toBe(true);
    expect(got).toMatchObject({
      ETag: put.ETag,
      ContentType: 'text/csv',
      CacheControl: 'no-store',
      ContentEncoding: 'identity',
      ContentDisposition: 'attachment',
      ContentLength: body.length,
      Metadata: { origin: 'sluice', 'second-name': 'x y' },
      ServerSideEncryption: 'aws:kms',
      SSEKMSKeyId: 'arn:aws:kms:eu-central-1:123456789012:key/abc',
      StorageClass: 'STANDARD_IA',
      TagCount: 2,
      AcceptRanges: 'bytes',
    });
    const tags = await s3.send(new GetObjectTaggingCommand({ Bucket, Key: 'a/b.csv' }));
    expect(tags.TagSet).toEqual([
      { Key: 'team', Value: 'data' },
      { Key: 'stage', Value: 'test' },
    ]);
  });

  it('are taken from streams of a known length, with a trailing checksum', async () => {
    const s3 = server.client();
    const body = randomBytes(200_000);
    await s3.send(
      new PutObjectCommand({
        Bucket,
        Key: 'streamed',
        Body: Readable.from([body.subarray(0, 70_000), body.subarray(70_000)]),
        ContentLength: body.length,
      }),
    );
    const got = await s3.send(new GetObjectCommand({ Bucket, Key: 'streamed' }));
    expect(Buffer.from((await got.Body?.transformToByteArray()) ?? []).equals(body)).toBe(true);
    expect(got.ContentEncoding).toBeUndefined();
  });

  it('may be empty', async () => {
    const s3 = server.client();
    await s3.send(new PutObjectCommand({ Bucket, Key: 'empty', Body: '' }));
    const got = await s3.send(new GetObjectCommand({ Bucket, Key: 'empty' }));
    expect(got.ContentLength).toBe(0);
    expect(await got.Body?.transformToString()).toBe('');
  });

  it('that do not exist are NoSuchKey', async () => {
    const s3 = server.client();
    await expect(s3.send(new GetObjectCommand({ Bucket, Key: 'none' }))).rejects.toMatchObject({
      name: 'NoSuchKey',
      Key: 'none',
    });
    await expect(s3.send(new HeadObjectCommand({ Bucket, Key: 'none' }))).rejects.toMatchObject({
      name: 'NotFound',
    });
  });

  it.each([
    ['bytes=0-4', 'hello', 'bytes 0-4/11'],
    ['bytes=6-', 'world', 'bytes 6-10/11'],
    ['bytes=-3', 'rld', 'bytes 8-10/11'],
    ['bytes=6-100', 'world', 'bytes 6-10/11'],
  ])('are read in ranges: %s', async (Range, text, ContentRange) => {
    const s3 = server.client();
    await s3.send(new PutObjectCommand({ Bucket, Key: 'ranged', Body: 'hello world' }));
    const got = await s3.send(new GetObjectCommand({ Bucket, Key: 'ranged', Range }));
    expect(await got.Body?.transformToString()).toBe(text);
    expect(got).toMatchObject({ ContentRange, $metadata: { httpStatusCode: 206 } });
  });

  it('refuse ranges behind their end', async () => {
    const s3 = server.client();
    await s3.send(new PutObjectCommand({ Bucket, Key: 'ranged', Body: 'hello world' }));
    await expect(
      s3.send(new GetObjectCommand({ Bucket, Key: 'ranged', Range: 'bytes=11-' })),
    ).rejects.toMatchObject({
      name: 'InvalidRange',
      $metadata: { httpStatusCode: 416 },
    });
  });

  it('answer conditional reads', async () => {
    const s3 = server.client();
    const { ETag } = await s3.send(new PutObjectCommand({ Bucket, Key: 'conditional', Body: 'x' }));
    const get = (conditions: object) =>
      s3.send(new GetObjectCommand({ Bucket, Key: 'conditional', ...conditions }));
    expect((await get({ IfMatch: ETag })).ETag).toBe(ETag);
    await expect(get({ IfMatch: '"other"' })).rejects.toMatchObject({ name: 'PreconditionFailed' });
    await expect(get({ IfNoneMatch: ETag })).rejects.toMatchObject({ $metadata: { httpStatusCode: 304 } });
    await expect(get({ IfModifiedSince: new Date(Date.now() + 60_000) })).rejects.toMatchObject({
      $metadata: { httpStatusCode: 304 },
    });
    await expect(get({ IfUnmodifiedSince: new Date(0) })).rejects.toMatchObject({
      name: 'PreconditionFailed',
    });
  });

  it('answer conditional writes', async () => {
    const s3 = server.client();
    const put = (conditions: object) =>
      s3.send(new PutObjectCommand({ Bucket, Key: 'written-once', Body: 'x', ...conditions }));
    const { ETag } = await put({ IfNoneMatch: '*' });
    await expect(put({ IfNoneMatch: '*' })).rejects.toMatchObject({ name: 'PreconditionFailed' });
    await expect(put({ IfMatch: '"other"' })).rejects.toMatchObject({ name: 'PreconditionFailed' });
    expect((await put({ IfMatch: ETag })).ETag).toBe(ETag);
    await expect(
      s3.send(new PutObjectCommand({ Bucket, Key: 'never-written', Body: 'x', IfMatch: ETag })),
    ).rejects.toMatchObject({ name: 'NoSuchKey' });
  });

  it('answer conditional deletes', async () => {
    const s3 = server.client();
    const { ETag } = await s3.send(new PutObjectCommand({ Bucket, Key: 'deleted-if', Body: 'x' }));
    const remove = (conditions: object) =>
      s3.send(new DeleteObjectCommand({ Bucket, Key: 'deleted-if', ...conditions }));
    await expect(remove({ IfMatch: '"other"' })).rejects.toMatchObject({
      name: 'PreconditionFailed',
      $metadata: { httpStatusCode: 412 },
    });
    await remove({ IfMatch: ETag });
    await expect(s3.send(new GetObjectCommand({ Bucket, Key: 'deleted-if' }))).rejects.toMatchObject({
      name: 'NoSuchKey',
    });
    // A key without an object, and a version id in a bucket without versions.
    await expect(remove({ IfMatch: ETag })).rejects.toMatchObject({ name: 'NoSuchKey' });
    await expect(remove({ VersionId: 'x' })).rejects.toMatchObject({ name: 'NoSuchVersion' });
  });

  it('of which one writer wins when many create the same key at once', async () => {
    const s3 = server.client();
    const results = await Promise.allSettled(
      Array.from({ length: 8 }, (_, index) =>
        s3.send(new PutObjectCommand({ Bucket, Key: 'raced', Body: `writer ${index}`, IfNoneMatch: '*' })),
      ),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('are deleted, one or many, and deleting what is not there succeeds', async () => {
    const s3 = server.client();
    for (const Key of ['d1', 'd2', 'd 3&<>']) await s3.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }));
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'd1' }));
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'd1' }));
    const { Deleted, Errors } = await s3.send(
      new DeleteObjectsCommand({
        Bucket,
        Delete: { Objects: [{ Key: 'd2' }, { Key: 'd 3&<>' }, { Key: 'none' }] },
      }),
    );
    expect(Deleted?.map(({ Key }) => Key)).toEqual(['d2', 'd 3&<>', 'none']);
    expect(Errors).toBeUndefined();
    await expect(s3.send(new HeadObjectCommand({ Bucket, Key: 'd 3&<>' }))).rejects.toMatchObject({
      name: 'NotFound',
    });
  });

  it('are copied with their metadata, or with new', async () => {
    const s3 = server.client();
    const Key = 'copy source/é+%';
    await s3.send(
      new PutObjectCommand({ Bucket, Key, Body: 'copied', ContentType: 'text/x', Metadata: { a: '1' } }),
    );
    const CopySource = `${Bucket}/${encodeURIComponent(Key)}`;
    const copy = await s3.send(new CopyObjectCommand({ Bucket, Key: 'copy', CopySource }));
    expect(copy.CopyObjectResult?.ETag).toBe(`"${createHash('md5').update('copied').digest('hex')}"`);
    await s3.send(new DeleteObjectCommand({ Bucket, Key }));
    const got = await s3.send(new GetObjectCommand({ Bucket, Key: 'copy' }));
    expect(await got.Body?.transformToString()).toBe('copied');
    expect(got).toMatchObject({ ContentType: 'text/x', Metadata: { a: '1' } });

    await s3.send(
      new CopyObjectCommand({
        Bucket,
        Key: 'copy',
        CopySource: `${Bucket}/copy`,
        MetadataDirective: 'REPLACE',
        Metadata: { b: '2' },
      }),
    );
    const replaced = await s3.send(new HeadObjectCommand({ Bucket, Key: 'copy' }));
    expect(replaced.Metadata).toEqual({ b: '2' });
    await expect(
      s3.send(new CopyObjectCommand({ Bucket, Key: 'copy', CopySource: `${Bucket}/copy` })),
    ).rejects.toMatchObject({ name: 'InvalidRequest' });
    await expect(
      s3.send(new CopyObjectCommand({ Bucket, Key: 'copy', CopySource: `${Bucket}/none` })),
    ).rejects.toMatchObject({ name: 'NoSuchKey' });
  });

  it('are read whole although they are overwritten meanwhile', async () => {
    const s3 = server.client();
    const before = randomBytes(20_000_000);
    await s3.send(new PutObjectCommand({ Bucket, Key: 'overwritten', Body: before }));
    const got = await s3.send(new GetObjectCommand({ Bucket, Key: 'overwritten' }));
    await s3.send(new PutObjectCommand({ Bucket, Key: 'overwritten', Body: 'after' }));
    expect(Buffer.from((await got.Body?.transformToByteArray()) ?? []).equals(before)).toBe(true);
  });
});

describe('settings that cannot be changed', () => {
  it('are answered as for a new bucket', async () => {
    const s3 = server.client();
    const { Status } = await s3.send(new GetBucketVersioningCommand({ Bucket }));
    expect(Status).toBeUndefined();
    await s3.send(new PutObjectCommand({ Bucket, Key: 'acl', Body: 'x' }));
    const acl = await s3.send(new GetObjectAclCommand({ Bucket, Key: 'acl' }));
    expect(acl.Grants?.[0]).toMatchObject({ Permission: 'FULL_CONTROL', Grantee: { Type: 'CanonicalUser' } });
  });

  it('are NotImplemented when they are written', async () => {
    const s3 = server.client();
    await expect(
      s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } })),
    ).rejects.toMatchObject({ name: 'NotImplemented' });
    await expect(
      s3.send(new PutObjectAclCommand({ Bucket, Key: 'acl', ACL: 'private' })),
    ).rejects.toMatchObject({
      name: 'NotImplemented',
    });
  });
});
