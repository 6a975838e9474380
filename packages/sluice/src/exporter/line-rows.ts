import type { RowScanner } from './row-scanner.ts';

export const NEWLINE = 0x0a;

/** Finds the ends of lines; what a newline inside a value looks like is the format's. State goes from call to call. */
export interface LineFinder {
  /** Reads all the bytes; gives the offset behind the last line that ends in them, or -1. */
  readToLastEnd(bytes: Uint8Array): number;
  /** Reads up to the first end of a line, and gives the offset behind it; or reads all, and gives -1. */
  readToFirstEnd(bytes: Uint8Array): number;
}

/**
 * The text format: COPY writes a newline inside a value as `\n`, and 0x0A is no byte of a longer character in any of
 * PostgreSQL's encodings.
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

/** Rows that are lines, of which the first may be a header. */
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

  /** Reads what of the header is in the bytes. */
  #readHeader(bytes: Uint8Array): number {
    if (!this.#inHeader) return 0;
    const end = this.#finder.readToFirstEnd(bytes);
    this.#inHeader = end === -1;
    const headerBytes = end === -1 ? bytes.byteLength : end;
    this.#offset += headerBytes;
    return headerBytes;
  }
}
