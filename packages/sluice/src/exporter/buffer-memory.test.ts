import { describe, expect, it } from 'vitest';
import { BLOCK_BYTES, BufferMemory } from './buffer-memory.ts';

describe('BufferMemory', () => {
  const takeAll = (memory: BufferMemory): Uint8Array<ArrayBuffer>[] => {
    const blocks: Uint8Array<ArrayBuffer>[] = [];
    for (;;) {
      const block = memory.take({ beyondLimit: false });
      if (block === undefined) return blocks;
      blocks.push(block);
    }
  };

  it('lends up to its limit, and beyond it only to who would wait for ever', () => {
    const memory = new BufferMemory({ limitBytes: 3.5 * BLOCK_BYTES });
    expect(takeAll(memory)).toHaveLength(3);
    expect(memory.take({ beyondLimit: true })).toHaveLength(BLOCK_BYTES);
    expect(memory.lentBytes).toBe(4 * BLOCK_BYTES);
  });

  it('lends again what was given back, and what was beyond its limit until nothing is lent', () => {
    const memory = new BufferMemory({ limitBytes: 2 * BLOCK_BYTES });
    const take = (): Uint8Array<ArrayBuffer> => memory.take({ beyondLimit: true }) ?? new Uint8Array();
    const [first, second, third] = [take(), take(), take()];
    memory.giveBack([second, third]);
    expect(new Set([take(), take()])).toEqual(new Set([second, third]));
    memory.giveBack([first, second, third]);
    expect(memory.lentBytes).toBe(0);
    const known = [take(), take(), take()].filter((block) => [first, second, third].includes(block));
    expect(known).toHaveLength(2);
  });

  it('wakes all who wait when blocks are given back', async () => {
    const memory = new BufferMemory({ limitBytes: BLOCK_BYTES });
    const blocks = takeAll(memory);
    const waiting = Promise.all([memory.freed(), memory.freed()]);
    memory.giveBack(blocks);
    await expect(waiting).resolves.toHaveLength(2);
  });
});
