import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { BLOCK_BYTES, BufferMemory } from './buffer-memory.ts';
import { PartBuffer } from './part-buffer.ts';

function pattern(length: number): Buffer {
  return Buffer.from(Uint8Array.from({ length }, (_, index) => index % 251));
}

/** Fills a part as far as it goes, in pieces. */
function fill(memory: BufferMemory, capacity: number, bytes: Buffer, pieceBytes: number): PartBuffer {
  const part = new PartBuffer(memory, capacity);
  for (let offset = 0; offset < bytes.length && !part.isFull;) {
    const block = part.needsBlock ? memory.take({ beyondLimit: true }) : undefined;
    if (block !== undefined) part.addBlock(block);
    offset += part.fill(bytes.subarray(offset, offset + pieceBytes));
  }
  return part;
}

it('holds the first bytes up to its capacity, whatever the pieces, and gives all memory back', () => {
  const size = fc.integer({ min: 0, max: 4 * BLOCK_BYTES });
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 3 * BLOCK_BYTES }),
      size,
      fc.integer({ min: 1000, max: 2 * BLOCK_BYTES }),
      size,
      (capacity, length, pieceBytes, cutAt) => {
        const memory = new BufferMemory();
        const bytes = pattern(length);
        const part = fill(memory, capacity, bytes, pieceBytes);
        const held = Math.min(length, capacity);
        expect(part.lengthBytes).toBe(held);
        expect(part.isFull).toBe(held === capacity);
        expect(Buffer.concat(part.views()).equals(bytes.subarray(0, held))).toBe(true);

        const cut = Math.min(cutAt, held);
        expect(Buffer.concat(part.views(cut)).equals(bytes.subarray(cut, held))).toBe(true);
        part.truncate(cut);
        expect(Buffer.concat(part.views()).equals(bytes.subarray(0, cut))).toBe(true);
        expect(memory.lentBytes).toBe(Math.ceil(cut / BLOCK_BYTES) * BLOCK_BYTES);
        part.free();
        expect(memory.lentBytes).toBe(0);
      },
    ),
    { numRuns: 100 },
  );
});
