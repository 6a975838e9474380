/** What a consumer is given at once, at the most, but for what one read brings beyond it. */
export const FULL_BYTES = 128 * 1024;
/** The largest read of a socket (libuv's). */
const READ_BYTES = 64 * 1024;
/** Below this many bytes a call of copyWithin costs more than a loop over words. */
const FEWEST_BYTES_FOR_COPY_WITHIN = 48;

/** Bytes of rows that were taken out of their frames, and where rows start in them. */
export class PayloadBuffer {
  #bytes = Buffer.allocUnsafeSlow(FULL_BYTES + READ_BYTES);
  #view = viewOf(this.#bytes);
  #rowStarts = new Int32Array(1024);
  #rowStartCount = 0;
  /** How many of the bytes are rows; what is behind them is about to be taken apart. */
  lengthBytes = 0;

  get bytes(): Buffer {
    return this.#bytes;
  }

  /** Offsets in the buffer, rising; one may be the buffer's end. Only the first `rowStartCount` count. */
  get rowStarts(): Int32Array {
    return this.#rowStarts;
  }

  get rowStartCount(): number {
    return this.#rowStartCount;
  }

  clear(): void {
    this.lengthBytes = 0;
    this.#rowStartCount = 0;
  }

  /** Makes room for this many bytes behind the rows; only reads that are larger than a socket's need more than there is. */
  reserve(bytes: number): void {
    const needed = this.lengthBytes + bytes;
    if (needed <= this.#bytes.byteLength) return;
    const larger = Buffer.allocUnsafeSlow(needed);
    this.#bytes.copy(larger, 0, 0, this.lengthBytes);
    this.#bytes = larger;
    this.#view = viewOf(larger);
  }

  /** Twice the same offset is one start, so there are never more than bytes. */
  addRowStart(offset: number): void {
    const count = this.#rowStartCount;
    if (count > 0 && this.#rowStarts[count - 1] === offset) return;
    if (count === this.#rowStarts.length) {
      const larger = new Int32Array(count * 2);
      larger.set(this.#rowStarts);
      this.#rowStarts = larger;
    }
    this.#rowStarts[count] = offset;
    this.#rowStartCount = count + 1;
  }

  /** Moves bytes towards the beginning by 4 or more: a frame's header lies between. The hot path of every export. */
  move(to: number, from: number, length: number): void {
    if (length >= FEWEST_BYTES_FOR_COPY_WITHIN) {
      this.#bytes.copyWithin(to, from, from + length);
      return;
    }
    const view = this.#view;
    const bytes = this.#bytes;
    const wordsEnd = length - 3;
    let index = 0;
    for (; index < wordsEnd; index += 4) view.setInt32(to + index, view.getInt32(from + index));
    for (; index < length; index++) bytes[to + index] = bytes[from + index] ?? 0;
  }
}

function viewOf({ buffer, byteOffset, byteLength }: Buffer): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}
