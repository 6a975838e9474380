import { BinaryRowScanner } from './binary-rows.ts';
import { ParityLineFinder, SteppingLineFinder } from './csv-lines.ts';
import { type LineFinder, LineRowScanner, NewlineFinder } from './line-rows.ts';
import { characterStepsOf } from './multibyte.ts';
import type { CsvRowFormat, RowFormat } from './row-format.ts';
import type { RowScanner } from './row-scanner.ts';

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
