import type { RowScanner } from './row-scanner.ts';

/** What to do with the bytes of an export, in order. */
export type CutStep =
  /** They belong to the current file. */
  | { do: 'append'; bytes: Uint8Array }
  /** The current file ends `carryBytes` before its present end; those bytes begin the next file. */
  | { do: 'cut'; carryBytes: number };

/**
 * Decides where a stream is cut into files: at the last row start at or below the limit. It must be possible to take
 * the bytes behind that back, so they must not be sent yet: only those before `sendableBytes` may be. No more than a
 * window of bytes is kept so. A row that is longer than the window, and crosses the limit, is not taken back: then the
 * file is closed behind it, above the limit.
 */
export class FileCutter {
  readonly #scanner: RowScanner;
  readonly #limitBytes: number;
  readonly #windowBytes: number;
  /** Offsets in the stream. */
  #fileStart = 0;
  #position = 0;
  /** The limit is crossed by a row that cannot be taken back. */
  #overLimit = false;

  constructor(scanner: RowScanner, { limitBytes, windowBytes }: { limitBytes: number; windowBytes: number }) {
    this.#scanner = scanner;
    this.#limitBytes = limitBytes;
    this.#windowBytes = windowBytes;
  }

  /** How many of the current file's first bytes will stay in it. */
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

  /** The steps for the next bytes of the stream; each must be done before the next is asked for. */
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

  /** The cut that is due before another byte is taken. */
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
