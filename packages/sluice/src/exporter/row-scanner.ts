/**
 * Reads a COPY stream once, in chunks of any size, and finds where rows begin. A row start is an offset where the
 * stream may be cut: before it there is at least one row (not only a header), and a row follows it.
 */
export interface RowScanner {
  /** The offset in the stream of the last row start found; 0 while none was found. */
  readonly lastRowStart: number;
  /** How many bytes after a row start must be read before it is certain. */
  readonly lookaheadBytes: number;
  /** Reads all the bytes. */
  read(bytes: Uint8Array): void;
  /** Reads until the next row start is found, or else all the bytes. Gives the number of bytes read. */
  readToNextRow(bytes: Uint8Array): number;
}
