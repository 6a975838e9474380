import type { RowScanner } from './row-scanner.ts';

export const NEWLINE = 0x0a;

/**
 * Finds where lines end. A newline inside a value is not a line end; each format marks it in its own way. The state is
 * kept between calls.
 */
export interface LineFinder {
  /** Reads all the bytes. Gives the offset after the last line end in them, or -1. */
  readToLastEnd(bytes: Uint8Array): number;
  /**
   * Reads up to the first line end and gives the offset after it; if there is none, reads all the bytes and gives -1.
   */
  readToFirstEnd(bytes: Uint8Array): number;
}

/**
 * Finds lines in the text format. COPY writes a newline inside a value as `\n`, and in none of PostgreSQL's encodings
 * is 0x0A a part of a longer character, so every byte 0x0A ends a line.
 */
export class NewlineFinder implements LineFinder {
  readToLastEnd(bytes: Uint8Array): number {
    const newline = bytes.lastIndexOf(NEWLINE);
    return newline === -1 ? -1 : newline + 1;
  }

  readToFirstEnd(bytes: Uint8Array): number {
    const newline = bytes.indexOf(NEWLINE);
    return newline === -1 ? -1 : newline + 1;
  }
}

/** Finds rows in a format in which each row is a line. The first line may be a header. */
export class LineRowScanner implements RowScanner {
  readonly lookaheadBytes = 0;
  readonly #finder: LineFinder;
  #inHeader: boolean;
  #offset = 0;
  #lastRowStart = 0;

  constructor(finder: LineFinder, header: boolean) {
    this.#finder = finder;
    this.#inHeader = header;
  }

  get lastRowStart(): number {
    return this.#lastRowStart;
  }

  read(bytes: Uint8Array): void {
    const rows = bytes.subarray(this.#readHeader(bytes));
    const end = this.#finder.readToLastEnd(rows);
    if (end !== -1) this.#lastRowStart = this.#offset + end;
    this.#offset += rows.byteLength;
  }

  readToNextRow(bytes: Uint8Array): number {
    const headerBytes = this.#readHeader(bytes);
    const rows = bytes.subarray(headerBytes);
    const end = this.#finder.readToFirstEnd(rows);
    const rowBytes = end === -1 ? rows.byteLength : end;
    this.#offset += rowBytes;
    if (end !== -1) this.#lastRowStart = this.#offset;
    return headerBytes + rowBytes;
  }

  /** Reads the header, or the part of it that is in the bytes. Gives the number of bytes read. */
  #readHeader(bytes: Uint8Array): number {
    if (!this.#inHeader) return 0;
    const end = this.#finder.readToFirstEnd(bytes);
    this.#inHeader = end === -1;
    const headerBytes = end === -1 ? bytes.byteLength : end;
    this.#offset += headerBytes;
    return headerBytes;
  }
}
