import { LocalError } from '../errors.ts';

/** An error for a terminal, in PostgreSQL's style. An unexpected error is shown with its stack, because it is a bug. */
export function describeError(error: unknown): string {
  if (!(error instanceof LocalError)) {
    return `error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`;
  }
  const lines = [`error: ${error.message}`];
  if (error.detail) lines.push(...error.detail.split('\n').map((line) => `  ${line}`));
  if (error.hint !== undefined) lines.push(`hint: ${error.hint}`);
  return `${lines.join('\n')}\n`;
}
