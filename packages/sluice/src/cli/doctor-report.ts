import type { CheckResult, CheckStatus } from '../doctor/walk.ts';
import { VERSION } from '../version.ts';

/** https://en.wikipedia.org/wiki/ANSI_escape_code#Colors */
const COLOURS: Readonly<Record<CheckStatus, string>> = {
  ok: '32',
  warning: '33',
  failed: '31',
  skipped: '2',
};
const WORDS: Readonly<Record<CheckStatus, string>> = {
  ok: 'ok',
  warning: 'warning',
  failed: 'FAILED',
  skipped: 'skipped',
};
const STATUS_WIDTH = 'warning'.length;

/** One check for a terminal: a line with what was found, and an indented line with what to do about it. */
export function formatResult(
  { name, status, found, mend }: CheckResult,
  { nameWidth, isColoured }: { nameWidth: number; isColoured: boolean },
): string {
  const word = WORDS[status].padEnd(STATUS_WIDTH);
  const start = isColoured ? `\u001b[${COLOURS[status]}m${word}\u001b[0m` : word;
  const line = `${start}  ${name.padEnd(nameWidth)}  ${onOneLine(found)}\n`;
  return mend === undefined ? line : `${line}${' '.repeat(STATUS_WIDTH + 2)}mend: ${onOneLine(mend)}\n`;
}

/** The last line: how many checks ended in which way. */
export function formatSummary(results: readonly CheckResult[]): string {
  const failed = results.filter(({ status }) => status === 'failed');
  const warnings = results.filter(({ status }) => status === 'warning');
  const skipped = results.filter(({ status }) => status === 'skipped');
  const counts = [
    `${results.length - failed.length - warnings.length - skipped.length} ok`,
    ...(failed.length > 0 ? [`${failed.length} failed (${failed.map(({ name }) => name).join(', ')})`] : []),
    ...(warnings.length > 0 ? [`${warnings.length} with a warning`] : []),
    ...(skipped.length > 0 ? [`${skipped.length} skipped`] : []),
  ];
  return `${counts.join(', ')}\n`;
}

export function formatJson(results: readonly CheckResult[]): string {
  const ok = results.every(({ status }) => status !== 'failed');
  const json = JSON.stringify({ version: VERSION, ok, checks: results }, undefined, 2);
  return `${escapeControls(json, '\n')}\n`;
}

/** Text that others chose must not control the terminal, nor look like another line of the report. */
function onOneLine(text: string): string {
  return escapeControls(text.replace(/\s*[\r\n]+\s*/g, ' '));
}

/**
 * Escapes control characters, and those that change the direction of text, in JSON's notation, so that JSON stays JSON.
 */
function escapeControls(text: string, except = ''): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    character === except
      ? character
      : Array.from(
          { length: character.length },
          (_, index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`,
        ).join(''),
  );
}
