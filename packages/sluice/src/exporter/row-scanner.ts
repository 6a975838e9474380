/**
 * Reads a COPY stream once, in chunks of any size, and knows where the rows in it begin. A row start is where the
 * stream may be cut: a row follows it, and a row (not only a header) comes before it.
 */
export interface RowScanner {
  /** Offset in the stream of the last row start that is known; 0 before there is one. */
  readonly lastRowStart: number;
  /** How many bytes behind a row start must be read until it is known for one. */
  readonly lookaheadBytes: number;
  /** Reads all the bytes. */
  read(bytes: Uint8Array): void;
  /** Reads up to where the next row start gets known, or else all; gives how many bytes that were. */
  readToNextRow(bytes: Uint8Array): number;
}
