import type { Body } from '../s3/body.ts';
import type { BufferMemory } from './buffer-memory.ts';
import { PartBuffer } from './part-buffer.ts';

export interface PartQueueOptions {
  memory: BufferMemory;
  partSize: (partNumber: number) => number;
  /** Waits for memory. */
  takeBlock: () => Promise<Uint8Array<ArrayBuffer>>;
}

/** The bytes of a file in parts, which are taken out in order. Only the last has room. */
export class PartQueue {
  readonly #options: PartQueueOptions;
  #parts: PartBuffer[];
  #lengthBytes = 0;
  #takenBytes = 0;
  #takenParts = 0;

  constructor(options: PartQueueOptions) {
    this.#options = options;
    this.#parts = [this.#partOf(1)];
  }

  /** Of the whole file, also what has been taken out. */
  get lengthBytes(): number {
    return this.#lengthBytes;
  }

  get takenParts(): number {
    return this.#takenParts;
  }

  /** True when all of the file is in one part that has not been taken. */
  get isOnePart(): boolean {
    return this.#takenParts === 0 && this.#parts.length === 1;
  }

  /** Copies the bytes. */
  async append(bytes: Uint8Array): Promise<void> {
    let rest = bytes;
    while (rest.byteLength > 0) {
      const part = this.#openPart();
      if (part.needsBlock) part.addBlock(await this.#options.takeBlock());
      const taken = part.fill(rest);
      this.#lengthBytes += taken;
      rest = rest.subarray(taken);
    }
  }

  /** Takes the full parts out that end among the file's first `bytes`. The last is kept, since it may be the only one. */
  *takeUpTo(bytes: number): Generator<PartBuffer, void, void> {
    for (;;) {
      const [first, second] = this.#parts;
      if (first === undefined || second === undefined) return;
      if (this.#takenBytes + first.lengthBytes > bytes) return;
      yield this.#take(first);
    }
  }

  /** Takes all parts out: the file has ended. */
  *takeAll(): Generator<PartBuffer, void, void> {
    for (let [first] = this.#parts; first !== undefined; [first] = this.#parts) yield this.#take(first);
  }

  /** Moves the last bytes, none of which have been taken, to another file. */
  async moveEnd(bytes: number, next: { append(bytes: Uint8Array): Promise<void> }): Promise<void> {
    const keep = this.#lengthBytes - bytes;
    let start = this.#takenBytes;
    let kept = 0;
    for (const part of this.#parts) {
      const keepOfPart = Math.min(Math.max(keep - start, 0), part.lengthBytes);
      start += part.lengthBytes;
      for (const view of part.views(keepOfPart)) await next.append(view);
      part.truncate(keepOfPart);
      if (keepOfPart > 0) kept++;
    }
    this.#parts.splice(kept);
    this.#lengthBytes = keep;
  }

  /** The bytes that have not been taken. */
  views(): Body {
    return this.#parts.flatMap((part) => part.views());
  }

  free(): void {
    for (const part of this.#parts.splice(0)) part.free();
  }

  #take(first: PartBuffer): PartBuffer {
    this.#parts.shift();
    this.#takenBytes += first.lengthBytes;
    this.#takenParts++;
    return first;
  }

  #openPart(): PartBuffer {
    const part = this.#parts.at(-1);
    if (part === undefined) throw new Error('the file has ended');
    if (!part.isFull) return part;
    const next = this.#partOf(this.#takenParts + this.#parts.length + 1);
    this.#parts.push(next);
    return next;
  }

  #partOf(partNumber: number): PartBuffer {
    const { memory, partSize } = this.#options;
    return new PartBuffer(memory, partSize(partNumber));
  }
}
