import type { RowScanner } from './row-scanner.ts';

/** `PGCOPY\n\377\r\n\0` and the flags. */
const SIGNATURE_AND_FLAGS_BYTES = 15;
const INT16_BYTES = 2;
const INT32_BYTES = 4;
const TRAILER = -1;

/**
 * The binary format: a tuple is a field count, and each field a length and its bytes. A row start is known only when
 * the count is read, since the trailer stands where a count would. Source:
 * https://www.postgresql.org/docs/current/sql-copy.html (Binary Format).
 */
export class BinaryRowScanner implements RowScanner {
  readonly lookaheadBytes = INT16_BYTES;
  #lastRowStart = 0;
  #offset = 0;
  /** Bytes to go over before the next integer. */
  #skip = SIGNATURE_AND_FLAGS_BYTES;
  #next: 'extension-length' | 'field-count' | 'field-length' | 'nothing' = 'extension-length';
  /** The bytes of an integer that is split between chunks. */
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
    const length = bytes.byteLength;
    let position = 0;
    let stop = false;
    while (position < length && !stop) {
      if (this.#next === 'nothing') {
        position = length;
      } else if (this.#skip > 0) {
        const step = Math.min(this.#skip, length - position);
        this.#skip -= step;
        position += step;
      } else {
        this.#partial = (this.#partial << 8) | (bytes[position++] ?? 0);
        this.#partialBytes++;
        const wanted = this.#next === 'field-count' ? INT16_BYTES : INT32_BYTES;
        if (this.#partialBytes === wanted) {
          stop = this.#takeInteger(this.#next, this.#offset + position) && stopAtRow;
        }
      }
    }
    this.#offset += position;
    return position;
  }

  /** True when it began a row that the stream may be cut before. */
  #takeInteger(kind: 'extension-length' | 'field-count' | 'field-length', offset: number): boolean {
    const value = kind === 'field-count' ? (this.#partial << 16) >> 16 : this.#partial;
    this.#partial = 0;
    this.#partialBytes = 0;
    if (kind === 'field-count') return this.#beginTuple(value, offset - INT16_BYTES);
    this.#skip = Math.max(value, 0);
    if (kind === 'extension-length' || --this.#fieldsLeft === 0) this.#next = 'field-count';
    return false;
  }

  #beginTuple(fields: number, offset: number): boolean {
    if (fields === TRAILER) {
      this.#next = 'nothing';
      return false;
    }
    this.#fieldsLeft = fields;
    if (fields > 0) this.#next = 'field-length';
    if (this.#rows++ === 0) return false;
    this.#lastRowStart = offset;
    return true;
  }
}
