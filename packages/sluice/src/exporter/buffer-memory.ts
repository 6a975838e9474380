/** Memory is lent in blocks of this size. A tiny export needs one. */
export const BLOCK_BYTES = 64 * 1024;

/** Room for the parts in flight of one export with the default sizes, and the one being filled. */
const DEFAULT_LIMIT_BYTES = 9 * 8 * 1024 * 1024;

/**
 * The memory for the bytes that exports have read and not yet uploaded; all exports of a process share it. Blocks are
 * lent, given back and lent again. Blocks up to the limit are kept for later exports; those beyond it are dropped when
 * no block is lent any more.
 */
export class BufferMemory {
  readonly limitBytes: number;
  readonly #free: Uint8Array<ArrayBuffer>[] = [];
  #lentBytes = 0;
  #wakeWaiters: (() => void) | undefined;
  #freed: Promise<void> | undefined;

  constructor({ limitBytes = DEFAULT_LIMIT_BYTES }: { limitBytes?: number } = {}) {
    this.limitBytes = limitBytes;
  }

  /** Bytes that are lent now. */
  get lentBytes(): number {
    return this.#lentBytes;
  }

  /**
   * Lends a block of BLOCK_BYTES with arbitrary content; undefined when the limit is reached. An export with no request
   * in flight passes `beyondLimit`: no block of its own would come back, and exports could wait for each other for
   * ever.
   */
  take(options: { beyondLimit: boolean }): Uint8Array<ArrayBuffer> | undefined {
    if (!this.reserve(BLOCK_BYTES, options)) return undefined;
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(BLOCK_BYTES);
  }

  giveBack(blocks: Iterable<Uint8Array<ArrayBuffer>>): void {
    let bytes = 0;
    for (const block of blocks) {
      bytes += BLOCK_BYTES;
      this.#free.push(block);
    }
    this.release(bytes);
  }

  /** Counts memory that an export allocates by itself as lent, as `take` does; or gives false at the limit. */
  reserve(bytes: number, { beyondLimit }: { beyondLimit: boolean }): boolean {
    if (this.#lentBytes + bytes > this.limitBytes && !beyondLimit) return false;
    this.#lentBytes += bytes;
    return true;
  }

  /** Gives back memory that was reserved. */
  release(bytes: number): void {
    this.#lentBytes -= bytes;
    // Dropped only when no block is lent: dropped earlier, the blocks would soon be needed again, and new ones are
    // allocated faster than the dropped ones are collected.
    if (this.#lentBytes === 0) this.#free.splice(Math.floor(this.limitBytes / BLOCK_BYTES));
    this.#wakeWaiters?.();
    this.#wakeWaiters = undefined;
    this.#freed = undefined;
  }

  /** Resolves when memory is given back the next time. */
  freed(): Promise<void> {
    this.#freed ??= new Promise((resolve) => {
      this.#wakeWaiters = resolve;
    });
    return this.#freed;
  }
}
