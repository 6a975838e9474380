import { type LineFinder, NEWLINE } from './line-rows.ts';
import type { CharacterSteps } from './multibyte.ts';
import { hasOddCount } from './odd-count.ts';

/**
 * Finds lines in CSV whose escape character is its quote character (the default). A quote inside a quoted value is
 * doubled, so the two cancel each other out: after an odd number of quotes the position is inside a quoted value.
 */
export class ParityLineFinder implements LineFinder {
  readonly #quote: number;
  #inQuotes = false;

  constructor(quote: number) {
    this.#quote = quote;
  }

  readToLastEnd(bytes: Uint8Array): number {
    const firstQuote = bytes.indexOf(this.#quote);
    if (firstQuote === -1) {
      if (this.#inQuotes) return -1;
      return bytes.lastIndexOf(NEWLINE) + 1 || -1;
    }
    if (hasOddCount(bytes.subarray(firstQuote), this.#quote)) this.#inQuotes = !this.#inQuotes;
    return this.#findLastEnd(bytes);
  }

  /** Searches backwards from the end: where rows are short, the last line end is near it. */
  #findLastEnd(bytes: Uint8Array): number {
    let inQuotes = this.#inQuotes;
    for (let index = bytes.byteLength - 1; index >= 0; index--) {
      const byte = bytes[index];
      if (byte === this.#quote) inQuotes = !inQuotes;
      else if (byte === NEWLINE && !inQuotes) return index + 1;
    }
    return -1;
  }

  readToFirstEnd(bytes: Uint8Array): number {
    // Read once, outside the loop's condition: V8 does not inline byteLength there, and it would cost more than the
    // rest.
    const { byteLength } = bytes;
    for (let index = 0; index < byteLength; index++) {
      const byte = bytes[index];
      if (byte === this.#quote) this.#inQuotes = !this.#inQuotes;
      else if (byte === NEWLINE && !this.#inQuotes) return index + 1;
    }
    return -1;
  }
}

const NOTHING = 0;
const QUOTE = 1;
const ESCAPE = 2;
const END_OF_LINE = 3;
const LONG_CHARACTER = 4;

/**
 * Finds lines in any CSV, byte by byte. An escape character that is not the quote counts only inside a quoted value,
 * where the next character loses its special meaning. A trailing byte of a multibyte character never has a special
 * meaning, even if it looks like ASCII.
 * Mirrors CopyAttributeOutCSV in PostgreSQL's src/backend/commands/copyto.c.
 */
export class SteppingLineFinder implements LineFinder {
  readonly #quote: number;
  /** The meaning of each byte as the first byte of a character; most have none. */
  readonly #meanings = new Uint8Array(256);
  readonly #steps: CharacterSteps | undefined;
  #inQuotes = false;
  /** Bytes at the beginning of the next chunk that belong to a character or an escape that began in the last chunk. */
  #skip = 0;
  /** True when the first of those bytes decides whether two more follow (GB18030). */
  #lengthOpen = false;

  constructor({
    quote,
    escape,
    steps,
  }: {
    quote: number;
    escape: number;
    steps: CharacterSteps | undefined;
  }) {
    this.#quote = quote;
    this.#steps = steps;
    if (steps !== undefined) this.#meanings.fill(LONG_CHARACTER, 0x80);
    this.#meanings[NEWLINE] = END_OF_LINE;
    this.#meanings[escape] = ESCAPE;
    // When escape and quote are the same character, it counts as a quote: a doubled one toggles twice.
    this.#meanings[quote] = QUOTE;
  }

  readToLastEnd(bytes: Uint8Array): number {
    const isPlain = this.#steps === undefined && !this.#inQuotes && this.#skip === 0;
    if (isPlain && bytes.indexOf(this.#quote) === -1) return bytes.lastIndexOf(NEWLINE) + 1 || -1;
    return this.#read(bytes, false);
  }

  readToFirstEnd(bytes: Uint8Array): number {
    return this.#read(bytes, true);
  }

  #read(bytes: Uint8Array, stopAtFirst: boolean): number {
    const { byteLength } = bytes;
    if (byteLength === 0) return -1;
    const meanings = this.#meanings;
    let inQuotes = this.#inQuotes;
    let lastEnd = -1;
    let index = this.#resume(bytes);
    for (; index < byteLength; index++) {
      const byte = bytes[index] ?? 0;
      const meaning = meanings[byte];
      if (meaning === NOTHING) continue;
      if (meaning === QUOTE) {
        inQuotes = !inQuotes;
      } else if (meaning === ESCAPE) {
        if (inQuotes) index++;
      } else if (meaning === LONG_CHARACTER) {
        index = this.#stepOver(bytes, index);
      } else if (!inQuotes) {
        lastEnd = index + 1;
        if (stopAtFirst) break;
      }
    }
    this.#inQuotes = inQuotes;
    this.#skip = Math.max(index - byteLength, 0);
    return lastEnd;
  }

  /** The offset of the character's last byte, which may be beyond the chunk. */
  #stepOver(bytes: Uint8Array, index: number): number {
    if (this.#steps === undefined) return index;
    const { trailingBytes, digitMakesFour } = this.#steps;
    const last = index + (trailingBytes[bytes[index] ?? 0] ?? 0);
    if (!digitMakesFour) return last;
    this.#lengthOpen = last >= bytes.byteLength;
    return isDigit(bytes[last]) ? last + 2 : last;
  }

  /** The offset where reading goes on: after the character or escape that began in the last chunk. */
  #resume(bytes: Uint8Array): number {
    const skip = this.#lengthOpen && isDigit(bytes[0]) ? this.#skip + 2 : this.#skip;
    this.#lengthOpen = false;
    return skip;
  }
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}
