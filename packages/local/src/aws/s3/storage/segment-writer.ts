import { open, unlink, type FileHandle } from 'node:fs/promises';
import type { Segment } from './stored-object.ts';
import { WRITE_BUFFER_BYTES, borrowWriteBuffer, returnWriteBuffer } from './write-buffers.ts';

/**
 * Writes one new segment file. While one buffer is being written, another one is filled. The file counts only when the
 * bucket's log names it; any other is removed at the next start.
 */
export class SegmentWriter {
  readonly #path: string;
  readonly #file: string;
  #handle: FileHandle | undefined;
  #filling: Buffer | undefined;
  #filledBytes = 0;
  #writing: Promise<void> | undefined;
  #sizeBytes = 0;

  /** @param file the segment's name; @param path the path of its file */
  constructor(file: string, path: string) {
    this.#file = file;
    this.#path = path;
  }

  /**
   * Takes a piece. The piece may be reused when the call has returned or its promise has resolved. If there is a
   * promise, it must resolve before the next call.
   */
  write(piece: Buffer): Promise<void> | undefined {
    this.#sizeBytes += piece.length;
    const taken = this.#fill(piece);
    return taken === piece.length && this.#filledBytes < WRITE_BUFFER_BYTES
      ? undefined
      : this.#writeRest(piece.subarray(taken));
  }

  /** Ends the file. If nothing was written, there is no segment. */
  async finish(): Promise<Segment[]> {
    await this.#flush();
    await this.#writing;
    await this.#handle?.close();
    this.#handle = undefined;
    return this.#sizeBytes === 0 ? [] : [{ file: this.#file, sizeBytes: this.#sizeBytes }];
  }

  /** Removes the file. Never fails: a file that remains is removed at the next start. */
  async discard(): Promise<void> {
    await Promise.allSettled([this.#writing]);
    await Promise.allSettled([this.#handle?.close()]);
    this.#handle = undefined;
    if (this.#filling !== undefined) returnWriteBuffer(this.#filling);
    this.#filling = undefined;
    await Promise.allSettled([unlink(this.#path)]);
  }

  /** Copies what fits into the buffer, and gives the number of bytes. */
  #fill(piece: Buffer): number {
    if (piece.length === 0) return 0;
    this.#filling ??= borrowWriteBuffer();
    const taken = piece.copy(this.#filling, this.#filledBytes);
    this.#filledBytes += taken;
    return taken;
  }

  async #writeRest(rest: Buffer): Promise<void> {
    let left = rest;
    do {
      if (this.#filledBytes === WRITE_BUFFER_BYTES) await this.#flush();
      left = left.subarray(this.#fill(left));
    } while (left.length > 0);
  }

  /** Begins to write the filled buffer, as soon as the previous write has ended. */
  async #flush(): Promise<void> {
    await this.#writing;
    if (this.#filling === undefined) return;
    this.#writing = this.#writeOut(this.#filling, this.#filledBytes);
    // Its error is thrown by the next flush, finish or discard, which awaits it.
    this.#writing.catch(() => undefined);
    this.#filling = undefined;
    this.#filledBytes = 0;
  }

  async #writeOut(buffer: Buffer, sizeBytes: number): Promise<void> {
    try {
      this.#handle ??= await open(this.#path, 'wx', 0o600);
      for (let written = 0; written < sizeBytes;) {
        const { bytesWritten } = await this.#handle.write(buffer, written, sizeBytes - written);
        written += bytesWritten;
      }
    } finally {
      returnWriteBuffer(buffer);
    }
  }
}
