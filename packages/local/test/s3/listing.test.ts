import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  ListObjectsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  paginateListObjectsV2,
  type S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from './test-server.ts';

const Bucket = 'listing-bucket';
/** In UTF-8 order. In UTF-16 order the last two would be swapped. */
const KEYS = [
  ' lead',
  '..',
  '../up',
  '/slash',
  '//double',
  'A',
  'a',
  'a b+c%d',
  'dir/',
  'dir/one',
  'dir/sub/two',
  'dir/sub/two2',
  'dir/three',
  'é',
  '\u{ff5e}',
  '\u{1f600}',
].toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
let server: TestServer;
let s3: S3Client;

beforeAll(async () => {
  server = await startTestServer();
  s3 = server.client();
  await s3.send(new CreateBucketCommand({ Bucket }));
  for (const Key of KEYS.toReversed()) await s3.send(new PutObjectCommand({ Bucket, Key, Body: Key }));
});

afterAll(() => server.stop());

describe('ListObjectsV2', () => {
  it('lists every key as it was given, in the order of UTF-8', async () => {
    const { Contents, KeyCount, IsTruncated } = await s3.send(new ListObjectsV2Command({ Bucket }));
    expect(Contents?.map(({ Key }) => Key)).toEqual(KEYS);
    expect({ KeyCount, IsTruncated }).toEqual({ KeyCount: KEYS.length, IsTruncated: false });
    expect(Contents?.[0]).toMatchObject({ Size: 5, StorageClass: 'STANDARD', ChecksumAlgorithm: ['CRC32'] });
    expect(Contents?.[0]?.Owner).toBeUndefined();
  });

  it.each([1, 2, 3, 5])('gives every entry once in pages of %i', async (pageSize) => {
    for (const [Prefix, Delimiter] of [
      ['', ''],
      ['', '/'],
      ['dir/', '/'],
      ['dir/s', '/'],
      ['', 'r/'],
    ]) {
      const entries: (string | undefined)[] = [];
      for await (const page of paginateListObjectsV2(
        { client: s3, pageSize },
        { Bucket, Prefix, Delimiter },
      )) {
        expect((page.Contents?.length ?? 0) + (page.CommonPrefixes?.length ?? 0)).toBe(page.KeyCount);
        entries.push(
          ...(page.Contents ?? []).map(({ Key }) => Key),
          ...(page.CommonPrefixes ?? []).map((prefix) => prefix.Prefix),
        );
      }
      const expected = expectedEntries(Prefix ?? '', Delimiter ?? '');
      expect(new Set(entries)).toEqual(new Set(expected));
      expect(entries).toHaveLength(expected.length);
    }
  });

  it('starts after a key, tells owners when asked, and encodes keys as URLs when asked', async () => {
    const after = await s3.send(
      new ListObjectsV2Command({ Bucket, StartAfter: 'dir/sub/two2', FetchOwner: true }),
    );
    expect(after.Contents?.[0]).toMatchObject({ Key: 'dir/three', Owner: { ID: '000000000000' } });
    const encoded = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: 'a b', EncodingType: 'url' }));
    expect(encoded.Contents?.[0]?.Key).toBe('a+b%2Bc%25d');
    expect(encoded.Prefix).toBe('a+b');
  });

  it('refuses a token that it did not make', async () => {
    await expect(
      s3.send(new ListObjectsV2Command({ Bucket, ContinuationToken: '!!' })),
    ).rejects.toMatchObject({ name: 'InvalidArgument' });
  });
});

describe('ListObjects', () => {
  it('goes on after the marker', async () => {
    const first = await s3.send(new ListObjectsCommand({ Bucket, MaxKeys: 4, Delimiter: '/' }));
    expect(first.IsTruncated).toBe(true);
    const rest = await s3.send(new ListObjectsCommand({ Bucket, Delimiter: '/', Marker: first.NextMarker }));
    const entries = [first, rest].flatMap((page) => [
      ...(page.Contents ?? []).map(({ Key }) => Key),
      ...(page.CommonPrefixes ?? []).map(({ Prefix }) => Prefix),
    ]);
    expect(entries).toHaveLength(expectedEntries('', '/').length);
    expect(new Set(entries)).toEqual(new Set(expectedEntries('', '/')));
  });
});

describe('ListMultipartUploads', () => {
  it('gives every upload once in pages of one', async () => {
    const ids: (string | undefined)[] = [];
    for (const Key of ['u/1', 'u/1', 'u/2', 'v']) {
      const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key }));
      ids.push(UploadId);
    }
    const seen: (string | undefined)[] = [];
    let KeyMarker: string | undefined;
    let UploadIdMarker: string | undefined;
    do {
      const page = await s3.send(
        new ListMultipartUploadsCommand({ Bucket, MaxUploads: 1, KeyMarker, UploadIdMarker }),
      );
      seen.push(...(page.Uploads ?? []).map(({ UploadId }) => UploadId));
      KeyMarker = page.NextKeyMarker;
      UploadIdMarker = page.NextUploadIdMarker;
    } while (KeyMarker !== undefined);
    expect(seen).toHaveLength(ids.length);
    expect(new Set(seen)).toEqual(new Set(ids));
    const grouped = await s3.send(new ListMultipartUploadsCommand({ Bucket, Delimiter: '/' }));
    expect(grouped.CommonPrefixes).toEqual([{ Prefix: 'u/' }]);
    expect(grouped.Uploads).toHaveLength(1);
  });
});

function expectedEntries(prefix: string, delimiter: string): string[] {
  const entries = KEYS.filter((key) => key.startsWith(prefix)).map((key) => {
    const end = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
    return end === -1 ? key : key.slice(0, end + delimiter.length);
  });
  return [...new Set(entries)];
}
