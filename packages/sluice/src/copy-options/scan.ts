/**
 * The beginnings of words that may contain a semicolon, or that must be recognised to find those. A string or quoted
 * name directly after another is a new word. Only a string with escapes can continue after a line end with another
 * quote, and the continuation has escapes as well.
 */
const WORD = [
  String.raw`--[^\r\n]*`,
  String.raw`/\*`,
  String.raw`[eE]'`,
  `['";]`,
  // Names are matched as a whole, because a dollar sign inside a name does not begin a string. Every character beyond
  // ASCII may be a part of a name.
  String.raw`[A-Za-z_\u0080-\uffff][A-Za-z0-9_$\u0080-\uffff]*`,
  String.raw`\$(?:[A-Za-z_\u0080-\uffff][A-Za-z0-9_\u0080-\uffff]*)?\$`,
].join('|');

export interface ScanOptions {
  /**
   * True when a backslash escapes in every string, because the session's standard_conforming_strings is off. @default
   * false
   */
  backslashEscapes?: boolean | undefined;
}

/** A word of a text: `from` is the offset of its first character, `to` the offset after its last. */
export interface Word {
  /**
   * How it begins: `'`, `E'`, `"`, `$tag$`, `--` with the rest of the line, a slash and a star, `;`, or a whole name.
   */
  opening: string;
  from: number;
  to: number;
}

/**
 * Splits SQL into strings, quoted names, comments, semicolons and names, as PostgreSQL's scanner does. It needs one
 * pass and no recursion, since a user may send a text of any length and depth. A word that is not closed ends with the
 * text.
 * Source: https://www.postgresql.org/docs/current/sql-syntax-lexical.html
 */
export function* scan(text: string, { backslashEscapes = false }: ScanOptions): Generator<Word> {
  const word = new RegExp(WORD, 'g');
  // When lastIndex is beyond the text, exec starts again at its beginning.
  while (word.lastIndex < text.length) {
    const match = word.exec(text);
    if (match === null) return;
    const [opening] = match;
    const from = match.index;
    const to = endOf(text, { opening, from, backslashEscapes });
    yield { opening, from, to };
    word.lastIndex = to;
  }
}

export function isComment(opening: string): boolean {
  return opening.startsWith('--') || opening === '/*';
}

/** The offset where a word ends that begins with `opening`. */
function endOf(
  text: string,
  { opening, from, backslashEscapes }: { opening: string; from: number; backslashEscapes: boolean },
): number {
  const bodyFrom = from + opening.length;
  if (opening === '/*') return endOfComment(text, from);
  if (opening === "E'" || opening === "e'" || (opening === "'" && backslashEscapes))
    return endOfEscapingString(text, bodyFrom);
  if (opening !== "'" && opening !== '"' && !opening.startsWith('$')) return bodyFrom;
  const close = text.indexOf(opening, bodyFrom);
  return close === -1 ? text.length : close + opening.length;
}

function endOfEscapingString(text: string, bodyFrom: number): number {
  const mark = /'|\\/g;
  mark.lastIndex = bodyFrom;
  for (let match = mark.exec(text); match !== null; match = mark.exec(text)) {
    const isEscape = match[0] === '\\' || text[mark.lastIndex] === "'";
    if (isEscape) mark.lastIndex += 1;
    else {
      const bodyGoesOn = behindContinuation(text, mark.lastIndex);
      if (bodyGoesOn === undefined) return mark.lastIndex;
      mark.lastIndex = bodyGoesOn;
    }
  }
  return text.length;
}

/**
 * Where a string continues that was closed at `from`: after white space and line comments that contain at least one
 * line end, and after another quote. Undefined when it does not continue.
 * Source: quotecontinue in src/backend/parser/scan.l
 */
function behindContinuation(text: string, from: number): number | undefined {
  const blank = /[ \t\n\r\f\v]*(?:--[^\r\n]*)?/y;
  let at = from;
  let hasLineEnd = false;
  for (;;) {
    blank.lastIndex = at;
    const skipped = blank.exec(text)?.[0] ?? '';
    hasLineEnd ||= /[\n\r]/.test(skipped);
    if (skipped === '') break;
    at += skipped.length;
  }
  return hasLineEnd && text[at] === "'" ? at + 1 : undefined;
}

/** Block comments nest. */
function endOfComment(text: string, from: number): number {
  const mark = /\/\*|\*\//g;
  mark.lastIndex = from;
  let depth = 0;
  for (let match = mark.exec(text); match !== null; match = mark.exec(text)) {
    depth += match[0] === '/*' ? 1 : -1;
    if (depth === 0) return mark.lastIndex;
  }
  return text.length;
}
