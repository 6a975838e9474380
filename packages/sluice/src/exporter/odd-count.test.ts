import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { hasOddCount } from './odd-count.ts';

it('agrees with counting one by one, at every alignment and length', () => {
  const bytes = fc.uint8Array({ maxLength: 400 });
  // 0 and 128 are where the arithmetic on words could carry from byte to byte.
  const value = fc.oneof(fc.constantFrom(0, 1, 0x22, 0x7f, 0x80, 0xff), fc.nat(255));
  fc.assert(
    fc.property(
      bytes,
      value,
      fc.nat(3),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (noise, wanted, offset, share) => {
        const buffer = new Uint8Array(new ArrayBuffer(offset + noise.length), offset);
        buffer.set(noise.map((byte) => (byte / 256 < share ? wanted : byte)));
        expect(hasOddCount(buffer, wanted)).toBe(buffer.filter((byte) => byte === wanted).length % 2 === 1);
      },
    ),
    { numRuns: 2000 },
  );
});
