import { isSluiceError } from '../errors.ts';

/** Tells a failure on standard error, as psql tells one: message, DETAIL, HINT. */
export function reportError(error: unknown): void {
  if (!isSluiceError(error)) {
    console.error('sluice:', error);
    return;
  }
  console.error(`sluice: ${error.message}`);
  if (error.detail !== undefined) console.error(`DETAIL:  ${error.detail}`);
  if (error.hint !== undefined) console.error(`HINT:  ${error.hint}`);
}
