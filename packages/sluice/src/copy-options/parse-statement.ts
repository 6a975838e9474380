import { SluiceError } from '../errors.ts';

/** What a semicolon may hide in, by its beginning; a string or quoted name also right behind another is one more. */
const TOKEN = new RegExp(
  [
    String.raw`--[^\r\n]*`,
    String.raw`/\*`,
    String.raw`[eE]'`,
    `['";]`,
    // A whole name: in one, a dollar begins no string. Every character beyond ASCII may stand in a name.
    String.raw`[A-Za-z_\u0080-\uffff][A-Za-z0-9_$\u0080-\uffff]*`,
    String.raw`\$(?:[A-Za-z_\u0080-\uffff][A-Za-z0-9_\u0080-\uffff]*)?\$`,
  ].join('|'),
  'g',
);

export interface StatementOptions {
  /** A backslash escapes in every string: the session's standard_conforming_strings is off. @default false */
  backslashEscapes?: boolean | undefined;
}

/**
 * The one statement of a query text, without the semicolon and the comments that may follow it. Only words are told
 * apart, as PostgreSQL's scanner does, in one pass: the text may be anybody's, and of any length and depth. Whether it
 * is a statement at all, the server says.
 * Source: https://www.postgresql.org/docs/current/sql-syntax-lexical.html
 *
 * @throws SluiceError `options_syntax` when the text has more than one statement
 */
export function singleStatement(query: string, { backslashEscapes = false }: StatementOptions = {}): string {
  let end: number | undefined;
  let start = 0;
  for (const { isSemicolon, from, to } of tokens(query, backslashEscapes)) {
    if (end !== undefined && query.slice(start, from).trim() !== '') throw severalStatements();
    if (isSemicolon) end ??= from;
    else if (end !== undefined && !isComment(query, from)) throw severalStatements();
    start = to;
  }
  if (end === undefined) return query;
  if (query.slice(start).trim() !== '') throw severalStatements();
  return query.slice(0, end);
}

interface Token {
  isSemicolon: boolean;
  from: number;
  to: number;
}

function* tokens(query: string, backslashEscapes: boolean): Generator<Token> {
  TOKEN.lastIndex = 0;
  for (;;) {
    const match = TOKEN.exec(query);
    if (match === null) return;
    const [text] = match;
    const from = match.index;
    TOKEN.lastIndex = endOf(query, text, from, backslashEscapes);
    const to = TOKEN.lastIndex;
    yield { isSemicolon: text === ';', from, to };
    // exec begins anew when it is asked to go on behind the end.
    if (to >= query.length) return;
  }
}

/** Where a token ends that begins with `text`; what is not closed ends with the query. */
function endOf(query: string, text: string, from: number, backslashEscapes: boolean): number {
  const bodyFrom = from + text.length;
  if (text === '/*') return endOfComment(query, from);
  if (text === "E'" || text === "e'" || (text === "'" && backslashEscapes))
    return endOfEscapingString(query, bodyFrom);
  if (text !== "'" && text !== '"' && !text.startsWith('$')) return bodyFrom;
  const close = query.indexOf(text, bodyFrom);
  return close === -1 ? query.length : close + text.length;
}

function endOfEscapingString(query: string, bodyFrom: number): number {
  const mark = /'|\\/g;
  mark.lastIndex = bodyFrom;
  for (let match = mark.exec(query); match !== null; match = mark.exec(query)) {
    const isEscape = match[0] === '\\' || query[mark.lastIndex] === "'";
    if (!isEscape) return mark.lastIndex;
    mark.lastIndex += 1;
  }
  return query.length;
}

/** Block comments nest. */
function endOfComment(query: string, from: number): number {
  const mark = /\/\*|\*\//g;
  mark.lastIndex = from;
  let depth = 0;
  for (let match = mark.exec(query); match !== null; match = mark.exec(query)) {
    depth += match[0] === '/*' ? 1 : -1;
    if (depth === 0) return mark.lastIndex;
  }
  return query.length;
}

function isComment(query: string, from: number): boolean {
  return query.startsWith('--', from) || query.startsWith('/*', from);
}

function severalStatements(): SluiceError {
  return new SluiceError('options_syntax', 'cannot export the results of several statements at once', {
    hint: 'Call aws_s3.query_export_to_s3 once for each query.',
  });
}
