import type { RowScanner } from '../exporter/row-scanner.ts';
import type { PayloadBuffer } from './payload-buffer.ts';

/**
 * Where rows start in what COPY sends over a connection. Nothing is searched for: the frames said it when they were
 * taken apart. It reads the buffers in the order in which they are given out.
 */
export class FrameRows implements RowScanner {
  #lookaheadBytes = 0;
  #lastRowStart = 0;
  #offset = 0;
  #buffer: PayloadBuffer | undefined;
  #bufferStart = 0;
  #nextStart = 0;

  get lastRowStart(): number {
    return this.#lastRowStart;
  }

  get lookaheadBytes(): number {
    return this.#lookaheadBytes;
  }

  /** In the binary format, as its own scanner has it: two bytes tell a row from the trailer. */
  set lookaheadBytes(bytes: number) {
    this.#lookaheadBytes = bytes;
  }

  /** The next bytes that are read are this buffer's. */
  begin(buffer: PayloadBuffer): void {
    this.#buffer = buffer;
    this.#bufferStart = this.#offset;
    this.#nextStart = 0;
  }

  read(bytes: Uint8Array): void {
    this.#offset += bytes.byteLength;
    const known = this.#offset - this.#bufferStart - this.#lookaheadBytes;
    for (let start = this.#peek(); start !== undefined && start <= known; start = this.#peek())
      this.#pass(start);
  }

  readToNextRow(bytes: Uint8Array): number {
    const start = this.#peek();
    const place = this.#offset - this.#bufferStart;
    const needed = start === undefined ? Number.POSITIVE_INFINITY : start + this.#lookaheadBytes - place;
    const taken = Math.min(bytes.byteLength, Math.max(needed, 0));
    this.read(bytes.subarray(0, taken));
    return taken;
  }

  #peek(): number | undefined {
    const buffer = this.#buffer;
    if (buffer === undefined || this.#nextStart >= buffer.rowStartCount) return undefined;
    return buffer.rowStarts[this.#nextStart];
  }

  #pass(start: number): void {
    this.#lastRowStart = this.#bufferStart + start;
    this.#nextStart += 1;
  }
}
