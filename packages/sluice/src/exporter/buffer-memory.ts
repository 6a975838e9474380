/** The unit in which memory is lent: what a tiny export needs. */
export const BLOCK_BYTES = 64 * 1024;

/** Room for the parts in flight of one export with the default sizes, and the one being filled. */
const DEFAULT_LIMIT_BYTES = 9 * 8 * 1024 * 1024;

/**
 * The memory that all exports of a process share for bytes on their way. Blocks are lent, given back and lent again. They
 * are kept for the next export; what was lent beyond the limit only until nothing is lent any more.
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
   * A block of BLOCK_BYTES with any content; or undefined at the limit. `beyondLimit` is for an export that has nothing
   * in flight, so that nothing would come back: without it exports could wait for each other for ever.
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

  /** Of what was reserved. */
  release(bytes: number): void {
    this.#lentBytes -= bytes;
    // Not before: what is dropped while it is still needed is allocated anew faster than it is collected.
    if (this.#lentBytes === 0) this.#free.splice(Math.floor(this.limitBytes / BLOCK_BYTES));
    this.#wakeWaiters?.();
    this.#wakeWaiters = undefined;
    this.#freed = undefined;
  }

  /** Settles when memory is given back next. */
  freed(): Promise<void> {
    this.#freed ??= new Promise((resolve) => {
      this.#wakeWaiters = resolve;
    });
    return this.#freed;
  }
}
