import { describe, expect, it } from 'vitest';
import { parseBucketAddress } from './bucket-address.ts';
import { isValidBucketName } from './bucket-name.ts';
import { contentRange, parseByteRange } from './byte-range.ts';

describe('parseBucketAddress', () => {
  it.each([
    ['127.0.0.1', '/', undefined, undefined],
    ['127.0.0.1', '/b', 'b', undefined],
    ['127.0.0.1', '/b/', 'b', undefined],
    ['localhost', '/b/k', 'b', 'k'],
    ['s3.localhost', '/b//k/', 'b', '/k/'],
    ['s3.eu-west-1.localhost', '/b/../k', 'b', '../k'],
    ['b.localhost', '/', 'b', undefined],
    ['b.localhost', '/k', 'b', 'k'],
    ['b.s3.localhost', '//k', 'b', '/k'],
    ['b.c.s3.eu-west-1.localhost', '/k', 'b.c', 'k'],
    ['b.127.0.0.1.nip.io', '/k', 'b', 'k'],
    ['b.s3.us-east-1.amazonaws.com', '/k', 'b', 'k'],
    ['s3.amazonaws.com', '/b/k', 'b', 'k'],
    ['example.org', '/b/k', 'b', 'k'],
  ])('%s%s is bucket %s, key %s', (host, path, bucket, key) => {
    expect(parseBucketAddress(host, path)).toMatchObject({ bucket, key });
  });
});

it.each([
  ['abc', true],
  ['my.bucket-1', true],
  ['a'.repeat(63), true],
  ['ab', false],
  ['a'.repeat(64), false],
  ['Abc', false],
  ['a_b', false],
  ['-ab', false],
  ['ab-', false],
  ['a..b', false],
  ['..', false],
  ['1.2.3.4', false],
  ['xn--abc', false],
  ['abc-s3alias', false],
])('bucket name %s: %s', (name, valid) => {
  expect(isValidBucketName(name)).toBe(valid);
});

describe('parseByteRange', () => {
  it.each([
    ['bytes=0-0', 0, 1],
    ['bytes=0-', 0, 10],
    ['bytes=3-5', 3, 3],
    ['bytes=9-99', 9, 1],
    ['bytes=-4', 6, 4],
    ['bytes=-99', 0, 10],
  ])('%s of ten bytes', (header, offsetBytes, sizeBytes) => {
    expect(parseByteRange(header, 10)).toEqual({ offsetBytes, sizeBytes });
  });

  it.each([undefined, 'bytes=', 'bytes=5-3', 'bytes=0-1,3-4', 'lines=1-2', 'nonsense'])(
    '%s is ignored',
    (header) => {
      expect(parseByteRange(header, 10)).toBeUndefined();
    },
  );

  it.each([
    ['bytes=10-', 10],
    ['bytes=-0', 10],
    ['bytes=0-', 0],
  ])('%s of %i bytes is InvalidRange', (header, size) => {
    expect(() => parseByteRange(header, size)).toThrow('not satisfiable');
  });

  it('is told with the size of the object', () => {
    expect(contentRange({ offsetBytes: 2, sizeBytes: 3 }, 10)).toBe('bytes 2-4/10');
  });
});
