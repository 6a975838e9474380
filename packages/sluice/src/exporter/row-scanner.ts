import { BinaryRowScanner } from './binary-rows.ts';
import { ParityLineFinder, SteppingLineFinder } from './csv-lines.ts';
import { type LineFinder, LineRowScanner, NewlineFinder } from './line-rows.ts';
import { characterStepsOf } from './multibyte.ts';
import type { CsvRowFormat, RowFormat } from './row-format.ts';

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

export function createRowScanner(rowFormat: RowFormat): RowScanner {
  switch (rowFormat.format) {
    case 'text':
      return new LineRowScanner(new NewlineFinder(), rowFormat.header);
    case 'csv':
      return new LineRowScanner(createCsvLineFinder(rowFormat), rowFormat.header);
    case 'binary':
      return new BinaryRowScanner();
    default:
      throw new TypeError(`no such format: ${String(rowFormat satisfies never)}`);
  }
}

function createCsvLineFinder({ quote, escape, encoding }: CsvRowFormat): LineFinder {
  const steps = characterStepsOf(encoding);
  if (steps === undefined && quote === escape) return new ParityLineFinder(asciiCode(quote));
  return new SteppingLineFinder({ quote: asciiCode(quote), escape: asciiCode(escape), steps });
}

function asciiCode(character: string): number {
  const code = character.charCodeAt(0);
  if (character.length !== 1 || code > 0x7f) {
    throw new TypeError(`not one ASCII character: ${JSON.stringify(character)}`);
  }
  return code;
}
