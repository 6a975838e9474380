import { isSluiceError } from '../errors.ts';

/** Writes an error to standard error in psql's form: message, DETAIL, HINT. */
export function reportError(error: unknown): void {
  if (!isSluiceError(error)) {
    console.error('sluice:', error);
    return;
  }
  console.error(`sluice: ${error.message}`);
  if (error.detail !== undefined) console.error(`DETAIL:  ${error.detail}`);
  if (error.hint !== undefined) console.error(`HINT:  ${error.hint}`);
}
