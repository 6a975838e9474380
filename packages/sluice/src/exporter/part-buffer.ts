import type { Blocks } from '../compression/compressor.ts';
import { BLOCK_BYTES, type BufferMemory } from './buffer-memory.ts';

/** The bytes of one part, while it is filled and until it is sent. */
export class PartBuffer {
  readonly #memory: BufferMemory;
  readonly #capacityBytes: number;
  #blocks: Uint8Array<ArrayBuffer>[] = [];
  #lengthBytes = 0;

  constructor(memory: BufferMemory, capacityBytes: number) {
    this.#memory = memory;
    this.#capacityBytes = capacityBytes;
  }

  get lengthBytes(): number {
    return this.#lengthBytes;
  }

  get isFull(): boolean {
    return this.#lengthBytes === this.#capacityBytes;
  }

  /** True when the next byte needs `addBlock` first. */
  get needsBlock(): boolean {
    return this.#lengthBytes === this.#blocks.length * BLOCK_BYTES;
  }

  addBlock(block: Uint8Array<ArrayBuffer>): void {
    this.#blocks.push(block);
  }

  /** Copies as many of the bytes as fit in the last block; gives their number. */
  fill(bytes: Uint8Array): number {
    const block = this.#blocks.at(-1);
    if (block === undefined) return 0;
    const used = this.#lengthBytes - (this.#blocks.length - 1) * BLOCK_BYTES;
    const taken = Math.min(bytes.byteLength, BLOCK_BYTES - used, this.#capacityBytes - this.#lengthBytes);
    block.set(taken === bytes.byteLength ? bytes : bytes.subarray(0, taken), used);
    this.#lengthBytes += taken;
    return taken;
  }

  /** The bytes from `fromBytes` on, as views of the blocks. */
  views(fromBytes = 0): Uint8Array[] {
    const views: Uint8Array[] = [];
    for (const [index, block] of this.#blocks.entries()) {
      const start = index * BLOCK_BYTES;
      const from = Math.max(fromBytes - start, 0);
      const to = Math.min(this.#lengthBytes - start, BLOCK_BYTES);
      if (from < to) views.push(block.subarray(from, to));
    }
    return views;
  }

  /** Drops the bytes after `lengthBytes`, and gives back the blocks that held only those. */
  truncate(lengthBytes: number): void {
    this.#lengthBytes = lengthBytes;
    this.#memory.giveBack(this.#blocks.splice(Math.ceil(lengthBytes / BLOCK_BYTES)));
  }

  /** Lets go of all blocks, which the caller gives back. */
  release(): Blocks {
    const released = { blocks: this.#blocks, lengthBytes: this.#lengthBytes };
    this.#blocks = [];
    this.#lengthBytes = 0;
    return released;
  }

  /** Gives all blocks back. */
  free(): void {
    this.#lengthBytes = 0;
    this.#memory.giveBack(this.#blocks);
    this.#blocks = [];
  }
}
