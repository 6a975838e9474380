import { randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checksumAlgorithms, isChecksumValue } from './checksum-algorithms.ts';
import { combineCrcs } from './combine-crcs.ts';
import { createDigest, type DigestName } from './digest.ts';

function digestOf(name: DigestName, ...pieces: Uint8Array[]): string {
  const digest = createDigest(name);
  for (const piece of pieces) digest.update(Buffer.from(piece));
  return digest.digest().toString('hex');
}

describe('digests', () => {
  it.each([
    ['crc32', 'cbf43926'],
    ['crc32c', 'e3069283'],
    ['crc64nvme', 'ae8b14860a799888'],
    ['md5', '25f9e794323b453885f5181f1b624d0b'],
  ] as const)("%s of '123456789' is %s", (name, expected) => {
    expect(digestOf(name, Buffer.from('123456789'))).toBe(expected);
  });

  it.each(['crc32', 'crc32c', 'crc64nvme'] as const)('%s is the same in any pieces', (name) => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(200), (bytes, cut) => {
        expect(digestOf(name, bytes.subarray(0, cut), bytes.subarray(cut))).toBe(digestOf(name, bytes));
      }),
    );
  });
});

describe('combineCrcs', () => {
  it.each(['CRC32', 'CRC32C', 'CRC64NVME'] as const)('%s of a whole is that of its pieces', (algorithm) => {
    const { crc, digest } = checksumAlgorithms[algorithm];
    if (crc === undefined) throw new Error('not a CRC');
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 50 }), { minLength: 1, maxLength: 5 }), (pieces) => {
        const combined = combineCrcs(
          crc,
          pieces.map((piece) => ({ crc: BigInt(`0x${digestOf(digest, piece)}`), sizeBytes: piece.length })),
        );
        expect(combined).toBe(BigInt(`0x${digestOf(digest, ...pieces)}`));
      }),
    );
  });

  it('combines the 10,000 parts of a large object without holding up others', () => {
    const part = randomBytes(1000);
    const pieces = Array.from({ length: 10_000 }, () => ({ crc: BigInt(crc32(part)), sizeBytes: 1000 }));
    const startedMs = performance.now();
    combineCrcs({ polynomial: 0xedb88320n, width: 32 }, pieces);
    expect(performance.now() - startedMs).toBeLessThan(1000);
  });
});

it.each([
  ['CRC32', 'NhCmhg==', true],
  ['CRC32', 'NhCmhg', false],
  ['CRC32', 'NhCmhgA=', false],
  ['SHA1', 'NhCmhg==', false],
] as const)('%s cannot be %s: %s', (algorithm, value, valid) => {
  expect(isChecksumValue(algorithm, value)).toBe(valid);
});
