import type { RowScanner } from './row-scanner.ts';

/** `PGCOPY\n\377\r\n\0` and the flags. */
const SIGNATURE_AND_FLAGS_BYTES = 15;
const INT16_BYTES = 2;
const INT32_BYTES = 4;
const TRAILER = -1;

/** The integers of the format; what follows each is skipped. */
type Expected = 'extension-length' | 'field-count' | 'field-length';

/**
 * Finds rows in the binary format. A tuple is a field count, then for each field its length and its bytes. The trailer
 * (-1) is at the place of a field count, so a row start is certain only after the count has been read.
 * Source: https://www.postgresql.org/docs/current/sql-copy.html (Binary Format).
 */
export class BinaryRowScanner implements RowScanner {
  readonly lookaheadBytes = INT16_BYTES;
  #lastRowStart = 0;
  #offset = 0;
  /** Bytes to skip before the next integer. */
  #skip = SIGNATURE_AND_FLAGS_BYTES;
  #expected: Expected = 'extension-length';
  /** The first bytes of an integer that is split between chunks. */
  #partial = 0;
  #partialBytes = 0;
  #fieldsLeft = 0;
  #rows = 0;

  get lastRowStart(): number {
    return this.#lastRowStart;
  }

  read(bytes: Uint8Array): void {
    this.#read(bytes, false);
  }

  readToNextRow(bytes: Uint8Array): number {
    return this.#read(bytes, true);
  }

  #read(bytes: Uint8Array, stopAtRow: boolean): number {
    const { byteLength } = bytes;
    const rowStartBefore = this.#lastRowStart;
    let position = 0;
    while (position < byteLength) {
      if (this.#skip > 0) {
        const step = Math.min(this.#skip, byteLength - position);
        this.#skip -= step;
        position += step;
        continue;
      }
      const wanted = this.#expected === 'field-count' ? INT16_BYTES : INT32_BYTES;
      if (this.#partialBytes === 0 && byteLength - position >= wanted) {
        const value = readInteger(bytes, position, wanted);
        position += wanted;
        this.#takeInteger(value, this.#offset + position);
      } else {
        this.#partial = (this.#partial << 8) | (bytes[position++] ?? 0);
        if (++this.#partialBytes === wanted) this.#takePartial(wanted, this.#offset + position);
      }
      if (stopAtRow && this.#lastRowStart !== rowStartBefore) break;
    }
    this.#offset += position;
    return position;
  }

  #takePartial(bytes: number, offset: number): void {
    const value = bytes === INT16_BYTES ? (this.#partial << 16) >> 16 : this.#partial;
    this.#partial = 0;
    this.#partialBytes = 0;
    this.#takeInteger(value, offset);
  }

  /** @param offset where the integer ends in the stream */
  #takeInteger(value: number, offset: number): void {
    if (this.#expected === 'field-length') {
      this.#skip = Math.max(value, 0);
      if (--this.#fieldsLeft === 0) this.#expected = 'field-count';
    } else if (this.#expected === 'extension-length') {
      this.#skip = value;
      this.#expected = 'field-count';
    } else if (value === TRAILER) {
      this.#skip = Number.POSITIVE_INFINITY;
    } else {
      this.#fieldsLeft = value;
      if (value > 0) this.#expected = 'field-length';
      if (this.#rows++ > 0) this.#lastRowStart = offset - INT16_BYTES;
    }
  }
}

function readInteger(bytes: Uint8Array, at: number, length: number): number {
  const high = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  if (length === INT16_BYTES) return (high << 16) >> 16;
  return (high << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0);
}
