import { isDatabaseError } from '../database-error.ts';
import { isSluiceError } from '../errors.ts';
import { printable } from '../printable.ts';

/** Writes an error to standard error in psql's form: message, DETAIL, HINT. It may quote what others have named. */
export function reportError(error: unknown): void {
  const lines = errorLines(error);
  if (lines === undefined) console.error('sluice:', error);
  else console.error(`sluice: ${printable(lines.join('\n'))}`);
}

/** The message, DETAIL and HINT of an error of Sluice's or of PostgreSQL; undefined for any other, which is a defect. */
export function errorLines(error: unknown): string[] | undefined {
  if (!isSluiceError(error) && !isDatabaseError(error)) return undefined;
  const { message, detail, hint } = error;
  return [
    message,
    ...(detail === undefined ? [] : [`DETAIL:  ${detail}`]),
    ...(hint === undefined ? [] : [`HINT:  ${hint}`]),
  ];
}
