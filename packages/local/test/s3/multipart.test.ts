import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import {
  AbortMultipartUploadCommand,
  ChecksumAlgorithm,
  ChecksumType,
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  PutObjectCommand,
  UploadPartCommand,
  UploadPartCopyCommand,
  type CompletedPart,
  type S3Client,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from './test-server.ts';

const MIB = 1024 * 1024;
const Bucket = 'multipart-bucket';
let server: TestServer;
let s3: S3Client;

beforeAll(async () => {
  server = await startTestServer();
  s3 = server.client();
  await s3.send(new CreateBucketCommand({ Bucket }));
});

afterEach(async () => {
  const { Uploads = [] } = await s3.send(new ListMultipartUploadsCommand({ Bucket }));
  for (const { Key, UploadId } of Uploads) {
    await s3.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
  }
});

afterAll(() => server.stop());

async function begin(Key: string, options: object = {}): Promise<string> {
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key, ...options }));
  if (UploadId === undefined) throw new Error('no upload id');
  return UploadId;
}

async function upload(
  Key: string,
  UploadId: string,
  PartNumber: number,
  Body: Buffer,
): Promise<CompletedPart> {
  const { ETag, ChecksumCRC32 } = await s3.send(
    new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body }),
  );
  return { PartNumber, ETag, ChecksumCRC32 };
}

function complete(Key: string, UploadId: string, Parts: CompletedPart[], options: object = {}) {
  return s3.send(
    new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts }, ...options }),
  );
}

async function bytesOf(Key: string, options: object = {}): Promise<Buffer> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key, ...options }));
  return Buffer.from((await Body?.transformToByteArray()) ?? []);
}

describe('a multipart upload', () => {
  it('becomes one object of its parts, in the order of their numbers', async () => {
    const Key = 'whole';
    const UploadId = await begin(Key, { ContentType: 'text/csv', Metadata: { a: 'b' } });
    const [first, second] = [randomBytes(5 * MIB), randomBytes(100)];
    const late = await upload(Key, UploadId, 7, second);
    const early = await upload(Key, UploadId, 2, first);
    const done = await complete(Key, UploadId, [early, late]);
    expect(done).toMatchObject({ Bucket, Key, ETag: expect.stringMatching(/^"[0-9a-f]{32}-2"$/) });
    expect((await bytesOf(Key)).equals(Buffer.concat([first, second]))).toBe(true);
    const head = await s3.send(new HeadObjectCommand({ Bucket, Key, PartNumber: 2 }));
    expect(head).toMatchObject({
      ContentType: 'text/csv',
      Metadata: { a: 'b' },
      PartsCount: 2,
      ContentLength: 100,
    });
    expect((await bytesOf(Key, { PartNumber: 2 })).equals(second)).toBe(true);
    const across = await bytesOf(Key, { Range: `bytes=${5 * MIB - 2}-${5 * MIB + 1}` });
    expect(across.equals(Buffer.concat([first.subarray(-2), second.subarray(0, 2)]))).toBe(true);
  });

  it('keeps the last of two parts with one number', async () => {
    const Key = 'replaced-part';
    const UploadId = await begin(Key);
    await upload(Key, UploadId, 1, Buffer.from('first'));
    const part = await upload(Key, UploadId, 1, Buffer.from('second'));
    await complete(Key, UploadId, [part]);
    expect((await bytesOf(Key)).toString()).toBe('second');
  });

  it('may be completed again with the same answer, as a retry does', async () => {
    const Key = 'retried';
    const UploadId = await begin(Key);
    const part = await upload(Key, UploadId, 1, Buffer.from('x'));
    const first = await complete(Key, UploadId, [part]);
    const second = await complete(Key, UploadId, [part]);
    expect(second.ETag).toBe(first.ETag);
  });

  it('is listed with its parts until it is aborted', async () => {
    const Key = 'listed/é&<>';
    const UploadId = await begin(Key);
    for (const number of [1, 2, 3]) await upload(Key, UploadId, number, Buffer.from(`part ${number}`));
    const parts = await s3.send(new ListPartsCommand({ Bucket, Key, UploadId, MaxParts: 2 }));
    expect(parts.Parts?.map(({ PartNumber, Size }) => [PartNumber, Size])).toEqual([
      [1, 6],
      [2, 6],
    ]);
    expect(parts).toMatchObject({ IsTruncated: true, NextPartNumberMarker: '2', Key });
    const rest = await s3.send(new ListPartsCommand({ Bucket, Key, UploadId, PartNumberMarker: '2' }));
    expect(rest.Parts).toHaveLength(1);
    const open = await s3.send(new ListMultipartUploadsCommand({ Bucket, Prefix: 'listed/' }));
    expect(open.Uploads).toMatchObject([{ Key, UploadId }]);
    await s3.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }));
    await expect(s3.send(new ListPartsCommand({ Bucket, Key, UploadId }))).rejects.toMatchObject({
      name: 'NoSuchUpload',
    });
  });

  it('leaves no file behind when it is aborted', async () => {
    const before = await dataFiles();
    const UploadId = await begin('aborted');
    await upload('aborted', UploadId, 1, randomBytes(MIB));
    expect(await dataFiles()).toBe(before + 1);
    await s3.send(new AbortMultipartUploadCommand({ Bucket, Key: 'aborted', UploadId }));
    await expect.poll(dataFiles).toBe(before);
  });

  it('copies parts from other objects', async () => {
    const source = randomBytes(6 * MIB);
    await s3.send(new PutObjectCommand({ Bucket, Key: 'copy-source', Body: source }));
    const Key = 'copied-parts';
    const UploadId = await begin(Key, { ChecksumAlgorithm: 'CRC32' });
    const copyPart = async (PartNumber: number, CopySourceRange: string) => {
      const { CopyPartResult } = await s3.send(
        new UploadPartCopyCommand({
          Bucket,
          Key,
          UploadId,
          PartNumber,
          CopySource: `${Bucket}/copy-source`,
          CopySourceRange,
        }),
      );
      return { PartNumber, ETag: CopyPartResult?.ETag, ChecksumCRC32: CopyPartResult?.ChecksumCRC32 };
    };
    const parts = [await copyPart(1, `bytes=10-${5 * MIB + 9}`), await copyPart(2, 'bytes=0-9')];
    await complete(Key, UploadId, parts);
    const expected = Buffer.concat([source.subarray(10, 5 * MIB + 10), source.subarray(0, 10)]);
    expect((await bytesOf(Key)).equals(expected)).toBe(true);
  });
});

describe('completing is refused', () => {
  const cases: [string, string, (parts: CompletedPart[]) => CompletedPart[]][] = [
    ['parts out of order', 'InvalidPartOrder', (parts) => parts.toReversed()],
    [
      'another entity tag',
      'InvalidPart',
      ([part]) => [{ ...part, ETag: '"0123456789abcdef0123456789abcdef"' }],
    ],
    ['another checksum', 'InvalidPart', ([part]) => [{ ...part, ChecksumCRC32: 'AAAAAA==' }]],
    ['a part that was not uploaded', 'InvalidPart', ([part]) => [{ ...part, PartNumber: 9 }]],
    ['a small part that is not the last', 'EntityTooSmall', (parts) => parts],
    ['no parts', 'MalformedXML', () => []],
    ['a missing checksum', 'InvalidRequest', ([part]) => [{ ETag: part?.ETag, PartNumber: 1 }]],
  ];
  it.each(cases)('for %s: %s', async (_what, name, change) => {
    const UploadId = await begin('refused', { ChecksumAlgorithm: 'CRC32' });
    const parts = [
      await upload('refused', UploadId, 1, Buffer.from('one')),
      await upload('refused', UploadId, 2, Buffer.from('two')),
    ];
    await expect(complete('refused', UploadId, change(parts))).rejects.toMatchObject({ name });
    // The refused request has left the upload open.
    await complete('refused', UploadId, parts.slice(0, 1));
  });

  it('for an upload that does not exist, and for its parts: NoSuchUpload', async () => {
    await expect(complete('none', 'no-such-upload', [{ PartNumber: 1, ETag: '"x"' }])).rejects.toMatchObject({
      name: 'NoSuchUpload',
    });
    await expect(upload('none', 'no-such-upload', 1, Buffer.from('x'))).rejects.toMatchObject({
      name: 'NoSuchUpload',
    });
  });

  it('for a condition that does not hold: PreconditionFailed', async () => {
    await s3.send(new PutObjectCommand({ Bucket, Key: 'exists', Body: 'x' }));
    const UploadId = await begin('exists');
    const part = await upload('exists', UploadId, 1, Buffer.from('y'));
    await expect(complete('exists', UploadId, [part], { IfNoneMatch: '*' })).rejects.toMatchObject({
      name: 'PreconditionFailed',
    });
  });

  it('for another size than announced: InvalidRequest', async () => {
    const UploadId = await begin('sized');
    const part = await upload('sized', UploadId, 1, Buffer.from('four'));
    await expect(complete('sized', UploadId, [part], { MpuObjectSize: 5 })).rejects.toMatchObject({
      name: 'InvalidRequest',
    });
    await complete('sized', UploadId, [part], { MpuObjectSize: 4 });
  });

  it('for a part number outside 1 to 10000: InvalidArgument', async () => {
    const UploadId = await begin('numbers');
    for (const number of [0, 10_001]) {
      await expect(upload('numbers', UploadId, number, Buffer.from('x'))).rejects.toMatchObject({
        name: 'InvalidArgument',
      });
    }
  });
});

describe('checksums of multipart objects', () => {
  const names = ['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256'] as const;
  it.each(names)('%s is told of the object and is right when it is read', async (algorithm) => {
    const Key = `checksum-${algorithm}`;
    const body = randomBytes(5 * MIB + 3);
    const uploaded = new Upload({
      client: s3,
      params: { Bucket, Key, Body: Readable.from([body]), ChecksumAlgorithm: ChecksumAlgorithm[algorithm] },
      partSize: 5 * MIB,
    });
    await uploaded.done();
    const head = await s3.send(new HeadObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED' }));
    const isFull = algorithm === 'CRC64NVME';
    expect(head.ChecksumType).toBe(isFull ? 'FULL_OBJECT' : 'COMPOSITE');
    expect(head[`Checksum${algorithm}`]).toMatch(isFull ? /^[\w+/]+=$/ : /-2$/);
    expect((await bytesOf(Key, { ChecksumMode: 'ENABLED' })).equals(body)).toBe(true);
  });

  it('SHA256 is that of the checksums of the parts', async () => {
    const body = randomBytes(5 * MIB + 3);
    const params = {
      Bucket,
      Key: 'composite',
      Body: Readable.from([body]),
      ChecksumAlgorithm: 'SHA256' as const,
    };
    await new Upload({ client: s3, params, partSize: 5 * MIB }).done();
    const head = await s3.send(new HeadObjectCommand({ Bucket, Key: 'composite', ChecksumMode: 'ENABLED' }));
    const parts = [body.subarray(0, 5 * MIB), body.subarray(5 * MIB)].map((part) => sha256(part));
    expect(head.ChecksumSHA256).toBe(`${sha256(Buffer.concat(parts)).toString('base64')}-2`);
  });

  it.each(['CRC32', 'CRC32C', 'CRC64NVME'] as const)(
    '%s of the full object is combined from the parts',
    async (name) => {
      const body = randomBytes(5 * MIB + 12_345);
      const field = `Checksum${name}` as const;
      const single = await s3.send(
        new PutObjectCommand({ Bucket, Key: 'single', Body: body, ChecksumAlgorithm: name }),
      );
      const Key = `combined-${name}`;
      const UploadId = await begin(Key, { ChecksumAlgorithm: name, ChecksumType: ChecksumType.FULL_OBJECT });
      const parts: CompletedPart[] = [];
      for (const [index, part] of [body.subarray(0, 5 * MIB), body.subarray(5 * MIB)].entries()) {
        const PartNumber = index + 1;
        const { ETag } = await s3.send(
          new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body: part, ChecksumAlgorithm: name }),
        );
        parts.push({ PartNumber, ETag });
      }
      await expect(
        complete(Key, UploadId, parts, {
          ChecksumType: 'FULL_OBJECT',
          [field]: otherChecksum(single[field]),
        }),
      ).rejects.toMatchObject({ name: 'BadDigest' });
      const done = await complete(Key, UploadId, parts, {
        ChecksumType: 'FULL_OBJECT',
        [field]: single[field],
      });
      expect(done[field]).toBe(single[field]);
      expect((await bytesOf(Key, { ChecksumMode: 'ENABLED' })).equals(body)).toBe(true);
    },
  );

  it('must be of one algorithm', async () => {
    const UploadId = await begin('mixed', { ChecksumAlgorithm: 'SHA256' });
    await expect(upload('mixed', UploadId, 1, Buffer.from('x'))).rejects.toMatchObject({
      name: 'InvalidRequest',
      message: expect.stringContaining('expected checksum Type: sha256, actual checksum Type: crc32'),
    });
  });
});

it('lib-storage uploads a stream of unknown length', async () => {
  const body = randomBytes(12 * MIB);
  const uploaded = new Upload({
    client: s3,
    params: { Bucket, Key: 'streamed', Body: Readable.from([body]) },
  });
  await uploaded.done();
  expect((await bytesOf('streamed')).equals(body)).toBe(true);
});

/** A checksum of the same length with another value. */
function otherChecksum(value = ''): string {
  const bytes = Buffer.from(value, 'base64');
  bytes.writeUInt8(bytes.readUInt8(0) ^ 1, 0);
  return bytes.toString('base64');
}

function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}

async function dataFiles(): Promise<number> {
  const data = path.join(server.directory, 's3', Bucket, 'data');
  const entries = await readdir(data, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).length;
}
