import { type LineFinder, NEWLINE } from './line-rows.ts';
import type { CharacterSteps } from './multibyte.ts';
import { hasOddCount } from './odd-count.ts';

/**
 * CSV whose escape is its quote character, as by default. A quote inside quotes stands doubled, which leaves the quotes
 * and enters them again, so counting is enough: after an odd number of quotes we are inside.
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

  /** Goes back from the end, which is near where rows are short. */
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
    // Not in the loop's condition: there byteLength would cost more than all the rest (V8 does not inline it).
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
 * CSV of any kind, byte by byte: an escape character of its own counts inside quotes only, and takes the meaning from
 * the character behind it; and a trailing byte of a character is none of the special ones, whatever it looks like.
 * Mirrors CopyAttributeOutCSV in PostgreSQL's src/backend/commands/copyto.c.
 */
export class SteppingLineFinder implements LineFinder {
  readonly #quote: number;
  /** What each byte means where a character begins; most mean nothing. */
  readonly #meanings = new Uint8Array(256);
  readonly #steps: CharacterSteps | undefined;
  #inQuotes = false;
  /** Bytes at the beginning of the next chunk that belong to the character or the escape at the end of the last. */
  #skip = 0;
  /** The first of them tells whether there are more. */
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
    // Where both are the same character, it is taken for a quote each time: doubled ones come out even.
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

  /** The offset of the last byte of a character; it may lie behind the chunk. */
  #stepOver(bytes: Uint8Array, index: number): number {
    if (this.#steps === undefined) return index;
    const { trailingBytes, digitMakesFour } = this.#steps;
    const last = index + (trailingBytes[bytes[index] ?? 0] ?? 0);
    if (!digitMakesFour) return last;
    this.#lengthOpen = last >= bytes.byteLength;
    return isDigit(bytes[last]) ? last + 2 : last;
  }

  /** Where to go on: behind what the last chunk ended in the middle of. */
  #resume(bytes: Uint8Array): number {
    const skip = this.#lengthOpen && isDigit(bytes[0]) ? this.#skip + 2 : this.#skip;
    this.#lengthOpen = false;
    return skip;
  }
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}
