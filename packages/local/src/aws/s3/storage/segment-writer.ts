import { open, unlink, type FileHandle } from 'node:fs/promises';
import type { Segment } from './stored-object.ts';

/** Chunks arrive in 64 KiB or less; one write for each would cost more than half of the throughput. */
const WRITE_SIZE_BYTES = 1024 * 1024;
/** Of one writev, far below IOV_MAX; also bounds what a body of tiny chunks can hold in memory. */
const MOST_CHUNKS_A_WRITE = 512;

/**
 * Writes one new segment file. While a piece is being written, the next gathers in memory; a third waits. The file
 * belongs to nobody until the bucket's log names it: one that is left behind is removed at the next start.
 */
export class SegmentWriter {
  readonly #path: string;
  readonly #file: string;
  #handle: FileHandle | undefined;
  #gathered: Buffer[] = [];
  #gatheredBytes = 0;
  #writing: Promise<void> | undefined;
  #sizeBytes = 0;

  /** @param file the segment's name; @param path where it lies */
  constructor(file: string, path: string) {
    this.#file = file;
    this.#path = path;
  }

  /** Takes a chunk, which must not be changed afterwards. A promise means: wait before the next. */
  write(chunk: Buffer): Promise<void> | undefined {
    if (chunk.length === 0) return undefined;
    this.#gathered.push(chunk);
    this.#gatheredBytes += chunk.length;
    this.#sizeBytes += chunk.length;
    if (this.#gatheredBytes < WRITE_SIZE_BYTES && this.#gathered.length < MOST_CHUNKS_A_WRITE)
      return undefined;
    return this.#flush();
  }

  /** Ends the file. No segment is made of no bytes. */
  async finish(): Promise<Segment[]> {
    await this.#flush();
    await this.#writing;
    await this.#handle?.close();
    this.#handle = undefined;
    return this.#sizeBytes === 0 ? [] : [{ file: this.#file, sizeBytes: this.#sizeBytes }];
  }

  /** Removes what was written. Never fails: a file that stays is removed at the next start. */
  async discard(): Promise<void> {
    await Promise.allSettled([this.#writing]);
    await Promise.allSettled([this.#handle?.close()]);
    this.#handle = undefined;
    await Promise.allSettled([unlink(this.#path)]);
  }

  async #flush(): Promise<void> {
    await this.#writing;
    if (this.#gathered.length === 0) return;
    const chunks = this.#gathered;
    const sizeBytes = this.#gatheredBytes;
    this.#gathered = [];
    this.#gatheredBytes = 0;
    this.#writing = this.#writeOut(chunks, sizeBytes);
    // The next flush, finish or discard awaits it and sees its error.
    this.#writing.catch(() => undefined);
  }

  async #writeOut(chunks: Buffer[], sizeBytes: number): Promise<void> {
    this.#handle ??= await open(this.#path, 'wx', 0o600);
    const { bytesWritten } = await this.#handle.writev(chunks);
    if (bytesWritten === sizeBytes) return;
    // A disk that is nearly full takes a part; the rest then fails with the reason.
    await this.#handle.writeFile(Buffer.concat(chunks).subarray(bytesWritten));
  }
}
