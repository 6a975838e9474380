import type { RowScanner } from './row-scanner.ts';

/** What to do with the bytes of an export, in order. */
export type CutStep =
  /** Append these bytes to the current file. */
  | { do: 'append'; bytes: Uint8Array }
  /** Move the last `carryBytes` bytes of the current file to a new file, and continue with that one. */
  | { do: 'cut'; carryBytes: number };

/**
 * Decides where a stream is cut into files: at the last row start at or below the limit. Bytes after that row start
 * move to the next file, so they must not have been sent yet; only the first `sendableBytes` of a file may be sent. At
 * most `windowBytes` before the limit are kept back. If the row that crosses the limit began before the window, it is
 * too late to move it: the file then ends after that row, above the limit.
 */
export class FileCutter {
  readonly #scanner: RowScanner;
  readonly #limitBytes: number;
  readonly #windowBytes: number;
  /** Offsets in the stream. */
  #fileStart = 0;
  #position = 0;
  /** True while a row crosses the limit that can't be moved to the next file. */
  #overLimit = false;

  constructor(scanner: RowScanner, { limitBytes, windowBytes }: { limitBytes: number; windowBytes: number }) {
    this.#scanner = scanner;
    this.#limitBytes = limitBytes;
    this.#windowBytes = windowBytes;
  }

  /** How many of the current file's first bytes are certain to stay in it, and so may be sent. */
  get sendableBytes(): number {
    const rowStart = Math.max(this.#scanner.lastRowStart - this.#fileStart, 0);
    const length = this.#position - this.#fileStart;
    const safe = this.#overLimit
      ? rowStart > this.#limitBytes
        ? rowStart
        : length - this.#scanner.lookaheadBytes
      : Math.max(rowStart, this.#limitBytes - this.#windowBytes);
    return Math.min(safe, length);
  }

  /** Gives the steps for the next bytes of the stream. Each step must be executed before the next one is requested. */
  *push(bytes: Uint8Array): Generator<CutStep, void, void> {
    let rest = bytes;
    while (rest.byteLength > 0) {
      const cut = this.#cutBefore();
      if (cut !== undefined) yield cut;
      const taken = this.#read(rest);
      yield { do: 'append', bytes: rest.subarray(0, taken) };
      rest = rest.subarray(taken);
    }
  }

  /** The cut that must be made before the next byte is read, if any. */
  #cutBefore(): CutStep | undefined {
    const limit = this.#fileStart + this.#limitBytes;
    if (this.#position < limit + this.#scanner.lookaheadBytes) return undefined;
    const rowStart = this.#scanner.lastRowStart;
    const reachable = rowStart > limit || rowStart >= limit - this.#windowBytes;
    if (rowStart <= this.#fileStart || !reachable) {
      this.#overLimit = true;
      return undefined;
    }
    this.#overLimit = false;
    this.#fileStart = rowStart;
    return { do: 'cut', carryBytes: this.#position - rowStart };
  }

  #read(bytes: Uint8Array): number {
    let taken: number;
    if (this.#overLimit) {
      taken = this.#scanner.readToNextRow(bytes);
    } else {
      const room = this.#fileStart + this.#limitBytes + this.#scanner.lookaheadBytes - this.#position;
      taken = Math.min(room, bytes.byteLength);
      this.#scanner.read(bytes.subarray(0, taken));
    }
    this.#position += taken;
    return taken;
  }
}
