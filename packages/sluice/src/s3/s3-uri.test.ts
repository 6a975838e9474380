import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeKey, validateRegion, validateS3Uri } from './s3-uri.ts';

const uri = (bucket: string, key = 'k'): (() => void) => {
  return () => validateS3Uri({ bucket, key });
};

describe('validateS3Uri', () => {
  it.each(['abc', 'my-bucket', 'my.bucket.example.com', '3rd-bucket', `a${'b'.repeat(61)}c`])(
    'accepts the bucket %j',
    (bucket) => {
      expect(uri(bucket)).not.toThrow();
    },
  );

  it.each([
    ['', 'empty'],
    ['ab', '3 to 63'],
    ['a'.repeat(64), '3 to 63'],
    ['My-Bucket', 'lowercase'],
    ['my_bucket', 'lowercase'],
    ['bücket', 'lowercase'],
    ['bucket\r\nx: y', 'lowercase'],
    ['bucket/path', 'slash'],
    ['arn:aws:s3:us-west-2:123456789012:accesspoint/mine', 'ARN'],
    ['-bucket', 'begins and ends'],
    ['bucket.', 'begins and ends'],
    ['my..bucket', 'two dots'],
    ['192.168.0.1', 'IP address'],
    ['mine--usw2-az1--x-s3', 'directory bucket'],
  ])('refuses the bucket %j, and says why', (bucket, why) => {
    expect(uri(bucket)).toThrow(
      expect.objectContaining({ code: 'invalid_argument', detail: expect.stringContaining(why) }),
    );
  });

  it('shows a hostile bucket name without its control characters', () => {
    expect(uri('a\u001b[2Jb\n')).toThrow(String.raw`invalid Amazon S3 bucket name: "a\u001b[2Jb\n"`);
  });

  it('leaves room for the suffix of later files in a key', () => {
    expect(uri('abc', 'x'.repeat(1014))).not.toThrow();
    expect(uri('abc', 'x'.repeat(1015))).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
    expect(uri('abc', 'ü'.repeat(508))).toThrow(
      expect.objectContaining({ detail: expect.stringContaining('1016 bytes') }),
    );
  });

  it.each(['', '\0', 'half a \ud83d'])('refuses the key %j', (key) => {
    expect(uri('abc', key)).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
  });
});

describe('encodeKey', () => {
  it('escapes all but the unreserved characters and the slash, and can be undone', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (key) => {
        const path = encodeKey(key);
        expect(path).toMatch(/^(?:[A-Za-z0-9\-._~/]|%[0-9A-F]{2})*$/);
        expect(decodeURIComponent(path)).toBe(key);
      }),
    );
  });

  it('keeps empty and dotted segments', () => {
    expect(encodeKey('/a//b/../c/./')).toBe('/a//b/../c/./');
  });
});

describe('validateRegion', () => {
  it.each(['us-west-2', 'eu-central-1', 'us-gov-west-1', 'local', 'auto'])('accepts %j', (region) => {
    expect(() => validateRegion(region)).not.toThrow();
  });

  it.each(['', 'US-WEST-2', 'us-west-2.evil.example/', 'a b', '-a', 'us-west-2\n', 'a@b'])(
    'refuses %j, which would become a part of a host name',
    (region) => {
      expect(() => validateRegion(region)).toThrow(expect.objectContaining({ code: 'invalid_argument' }));
    },
  );
});
