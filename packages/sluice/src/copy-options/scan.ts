/**
 * What a semicolon may hide in, by its beginning; a string or quoted name right behind another is one of its own, but
 * for a string with escapes, which goes on in the next one behind a line end, with escapes.
 */
const WORD = [
  String.raw`--[^\r\n]*`,
  String.raw`/\*`,
  String.raw`[eE]'`,
  `['";]`,
  // A whole name: in one, a dollar begins no string. Every character beyond ASCII may stand in a name.
  String.raw`[A-Za-z_\u0080-\uffff][A-Za-z0-9_$\u0080-\uffff]*`,
  String.raw`\$(?:[A-Za-z_\u0080-\uffff][A-Za-z0-9_\u0080-\uffff]*)?\$`,
].join('|');

export interface ScanOptions {
  /** A backslash escapes in every string: the session's standard_conforming_strings is off. @default false */
  backslashEscapes?: boolean | undefined;
}

/** A word of a text, from its first character to the one behind its last. */
export interface Word {
  /** What it begins with: `'`, `E'`, `"`, `$tag$`, `--` and the rest of the line, a slash and a star, `;` or a name. */
  opening: string;
  from: number;
  to: number;
}

/**
 * Tells strings, quoted names, comments, semicolons and names of SQL apart, as PostgreSQL's scanner does, in one pass:
 * the text may be anybody's, and of any length and depth. What is not closed ends with the text.
 * Source: https://www.postgresql.org/docs/current/sql-syntax-lexical.html
 */
export function* scan(text: string, { backslashEscapes = false }: ScanOptions): Generator<Word> {
  const word = new RegExp(WORD, 'g');
  // exec begins anew when it is asked to go on behind the end.
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

/** Where a word ends that begins with `opening`. */
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
 * Where a string goes on that was closed at `from`: behind white space and comments up to the end of their line, with at
 * least one line end, and another quote. Undefined when it does not.
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
