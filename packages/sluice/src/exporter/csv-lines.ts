import { type LineFinder, NEWLINE } from './line-rows.ts';
import type { CharacterSteps } from './multibyte.ts';
import { hasOddCount } from './odd-count.ts';

/**
 * CSV whose escape is its quote character, as by default: then each quote, a doubled one too, changes between inside and
 * outside twice or once as it should, and counting them is enough.
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
    for (let index = 0; index < bytes.byteLength; index++) {
      const byte = bytes[index];
      if (byte === this.#quote) this.#inQuotes = !this.#inQuotes;
      else if (byte === NEWLINE && !this.#inQuotes) return index + 1;
    }
    return -1;
  }
}

/**
 * CSV of any kind, byte by byte: an escape character of its own counts inside quotes only, and takes the meaning from
 * the character behind it; and a trailing byte of a character is none of the special ones, whatever it looks like.
 * Mirrors CopyAttributeOutCSV in PostgreSQL's src/backend/commands/copyto.c.
 */
export class SteppingLineFinder implements LineFinder {
  readonly #quote: number;
  /** -1 when it is the quote character. */
  readonly #escape: number;
  readonly #steps: CharacterSteps | undefined;
  #inQuotes = false;
  #escaped = false;
  /** How many bytes of the character under way are still to come. */
  #trailing = 0;
  /** The character under way is longer if its second byte is a digit (GB18030). */
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
    this.#escape = escape === quote ? -1 : escape;
    this.#steps = steps;
  }

  readToLastEnd(bytes: Uint8Array): number {
    if (this.#steps === undefined && !this.#inQuotes && bytes.indexOf(this.#quote) === -1) {
      return bytes.lastIndexOf(NEWLINE) + 1 || -1;
    }
    return this.#read(bytes, false);
  }

  readToFirstEnd(bytes: Uint8Array): number {
    return this.#read(bytes, true);
  }

  #read(bytes: Uint8Array, stopAtFirst: boolean): number {
    const quote = this.#quote;
    const escape = this.#escape;
    const steps = this.#steps;
    let inQuotes = this.#inQuotes;
    let escaped = this.#escaped;
    let lastEnd = -1;
    for (let index = 0; index < bytes.byteLength; index++) {
      const byte = bytes[index] ?? 0;
      if (steps !== undefined && this.#isPartOfLongCharacter(byte, steps)) {
        escaped = false;
      } else if (inQuotes) {
        if (escaped) escaped = false;
        else if (byte === escape) escaped = true;
        else if (byte === quote) inQuotes = false;
      } else if (byte === quote) {
        inQuotes = true;
      } else if (byte === NEWLINE) {
        lastEnd = index + 1;
        if (stopAtFirst) break;
      }
    }
    this.#inQuotes = inQuotes;
    this.#escaped = escaped;
    return lastEnd;
  }

  #isPartOfLongCharacter(byte: number, steps: CharacterSteps): boolean {
    if (this.#trailing > 0) {
      this.#trailing--;
      if (this.#lengthOpen) {
        this.#lengthOpen = false;
        if (byte >= 0x30 && byte <= 0x39) this.#trailing = 2;
      }
      return true;
    }
    if (byte < 0x80) return false;
    this.#trailing = steps.trailingBytes(byte);
    this.#lengthOpen = steps.digitMakesFour;
    return true;
  }
}
