import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GIB, LARGEST_OBJECT_BYTES, MAX_PARTS, MIB, partSizeOf, SMALLEST_PART_BYTES } from './part-size.ts';

function partsNeeded(limits: { partSizeBytes: number; fileLimitBytes: number }): number {
  let bytes = 0;
  let parts = 0;
  while (bytes < limits.fileLimitBytes) bytes += partSizeOf(++parts, limits);
  return parts;
}

describe('partSizeOf', () => {
  it('keeps the basic size for files of the default limit', () => {
    const limits = { partSizeBytes: 8 * MIB, fileLimitBytes: 6 * GIB };
    expect(partSizeOf(1, limits)).toBe(8 * MIB);
    expect(partSizeOf(768, limits)).toBe(8 * MIB);
  });

  it('never needs more than 10,000 parts, up to the largest object', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: SMALLEST_PART_BYTES, max: 64 * MIB }),
        fc.integer({ min: 1, max: LARGEST_OBJECT_BYTES }),
        (partSizeBytes, fileLimitBytes) => {
          expect(partsNeeded({ partSizeBytes, fileLimitBytes })).toBeLessThanOrEqual(MAX_PARTS);
        },
      ),
      { numRuns: 50 },
    );
    expect(
      partsNeeded({ partSizeBytes: SMALLEST_PART_BYTES, fileLimitBytes: LARGEST_OBJECT_BYTES }),
    ).toBeLessThanOrEqual(MAX_PARTS);
  });

  it('begins with the basic size and grows, so that only large files hold large parts', () => {
    const limits = { partSizeBytes: 8 * MIB, fileLimitBytes: LARGEST_OBJECT_BYTES };
    expect(partSizeOf(1, limits)).toBe(8 * MIB);
    expect(partSizeOf(100, limits)).toBeLessThan(24 * MIB);
    expect(partSizeOf(MAX_PARTS, limits)).toBeLessThan(1.5 * GIB);
  });
});
