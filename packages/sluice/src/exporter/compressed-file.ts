import type { Compressed, Compressor } from '../compression/compressor.ts';
import { BLOCK_BYTES, type BufferMemory } from './buffer-memory.ts';
import type { FileUpload } from './file-upload.ts';
import type { FileWriter } from './file-writer.ts';
import type { PartBuffer } from './part-buffer.ts';
import { PartQueue } from './part-queue.ts';
import type { PartScheduler } from './part-scheduler.ts';

/** What is compressed at once. Less makes the file larger, more takes more memory. */
const PIECE_BYTES = 8 * BLOCK_BYTES;

export interface CompressedFileContext {
  /** One for each file. */
  createCompressor: () => Compressor;
  memory: BufferMemory;
  scheduler: PartScheduler;
}

/** A piece that is being compressed. */
interface Piece {
  blocks: number;
  compressed: Promise<Compressed>;
  isDone: boolean;
}

/**
 * Compresses a file on its way to its upload. Bytes wait here until it is certain that they stay in the file, since
 * what has been compressed cannot be moved to the next one. The memory of a piece is counted until its output is in a
 * part.
 */
export class CompressedFile implements FileWriter {
  readonly #upload: FileUpload;
  readonly #context: CompressedFileContext;
  readonly #compressor: Compressor;
  readonly #waiting: PartQueue;
  /** In the order of the bytes. */
  readonly #pieces: Piece[] = [];
  /** Of the compressor's own memory. */
  #reservedBytes = 0;

  constructor(upload: FileUpload, context: CompressedFileContext) {
    this.#upload = upload;
    this.#context = context;
    this.#compressor = context.createCompressor();
    this.#waiting = new PartQueue({
      memory: context.memory,
      partSize: () => PIECE_BYTES,
      takeBlock: () => this.#waitForMemory((options) => context.memory.take(options)),
    });
  }

  append(bytes: Uint8Array): Promise<void> {
    return this.#waiting.append(bytes);
  }

  async sendUpTo(bytes: number): Promise<void> {
    for (const part of this.#waiting.takeUpTo(bytes)) await this.#compress(part);
  }

  moveEnd(bytes: number, next: FileWriter): Promise<void> {
    return this.#waiting.moveEnd(bytes, next);
  }

  async end(options: { keepsOnePart: boolean }): Promise<void> {
    for (const part of this.#waiting.takeAll()) await this.#compress(part);
    while (this.#pieces.length > 0) await this.#storeFirst();
    await this.#reserve();
    const rest = await this.#context.scheduler.wait(this.#compressor.end());
    this.#close();
    for (const view of rest) await this.#upload.append(view);
    await this.#upload.end(options);
  }

  async discard(): Promise<void> {
    this.#waiting.free();
    for (const piece of this.#pieces.splice(0)) {
      const [outcome] = await Promise.allSettled([piece.compressed]);
      this.#context.memory.giveBack(
        outcome.status === 'fulfilled' ? outcome.value.blocks : freshBlocks(piece.blocks),
      );
    }
    this.#close();
  }

  /** Begins to compress a piece, as soon as fewer are under way than are of use. */
  async #compress(part: PartBuffer): Promise<void> {
    try {
      await this.#reserve();
      while (this.#pieces.length >= this.#compressor.concurrency) await this.#storeFirst();
    } catch (error) {
      part.free();
      throw error;
    }
    const input = part.release();
    if (input.lengthBytes === 0) return;
    const compressed = this.#compressor.compress(input);
    const piece: Piece = { blocks: input.blocks.length, compressed, isDone: false };
    const onEnd = (): void => {
      piece.isDone = true;
    };
    compressed.then(onEnd, onEnd);
    this.#pieces.push(piece);
    while (this.#pieces[0]?.isDone === true) await this.#storeFirst();
  }

  /** Moves the output of the first piece under way to the upload. */
  async #storeFirst(): Promise<void> {
    const [first] = this.#pieces;
    if (first === undefined) return;
    const { output, blocks } = await this.#context.scheduler.wait(first.compressed);
    for (const view of output) await this.#upload.append(view);
    this.#pieces.shift();
    this.#context.memory.giveBack(blocks);
    await this.#upload.sendUpTo(this.#upload.lengthBytes);
  }

  async #reserve(): Promise<void> {
    const { memoryBytes } = this.#compressor;
    if (this.#reservedBytes === memoryBytes) return;
    await this.#waitForMemory((options) => this.#context.memory.reserve(memoryBytes, options) || undefined);
    this.#reservedBytes = memoryBytes;
  }

  #close(): void {
    this.#compressor.close();
    this.#context.memory.release(this.#reservedBytes);
    this.#reservedBytes = 0;
  }

  async #waitForMemory<T>(take: (options: { beyondLimit: boolean }) => T | undefined): Promise<T> {
    const { memory, scheduler } = this.#context;
    for (;;) {
      const isIdle = scheduler.inFlight === 0 && this.#pieces.length === 0;
      const taken = take({ beyondLimit: isIdle });
      if (taken !== undefined) return taken;
      // What it has under way comes back before it need wait for another export's.
      if (this.#pieces.length > 0) await this.#storeFirst();
      else await scheduler.wait(Promise.race([memory.freed(), scheduler.nextEnd()]));
    }
  }
}

/** For those that were lost with a thread. */
function freshBlocks(count: number): Uint8Array<ArrayBuffer>[] {
  return Array.from({ length: count }, () => Buffer.allocUnsafeSlow(BLOCK_BYTES));
}
