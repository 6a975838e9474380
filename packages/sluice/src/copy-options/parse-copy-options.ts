import { hasSqlDetails, loadModule, parseSync, type DefElem, type Node, type ParseResult } from 'libpg-query';
import { SluiceError } from '../errors.ts';
import { checkOptionList } from './check-option-list.ts';
import { optionsSyntaxError } from './options-syntax.ts';
import { scan, type ScanOptions } from './scan.ts';
import { COMPRESSION_OPTIONS } from './take-compression.ts';

/**
 * One option of COPY's WITH list. `value` is a string or a whole number as PostgreSQL's grammar reads it, a list of
 * column names (`force_quote (a, b)`), `true` for `*` (`force_quote *`), or null where the option stands alone
 * (`header`).
 */
export interface CopyOption {
  name: string;
  value: string | number | string[] | true | null;
}

/**
 * Every option name that COPY knows on some version from 14 to 18, in either direction: what only COPY FROM takes is
 * passed on, as COPY TO's own error about it is the best one. And those of ours, which COPY never sees (takeCompression).
 * Source: https://www.postgresql.org/docs/current/sql-copy.html
 */
const KNOWN_OPTIONS: ReadonlySet<string> = new Set([
  'format',
  'freeze',
  'delimiter',
  'null',
  'default',
  'header',
  'quote',
  'escape',
  'force_quote',
  'force_not_null',
  'force_null',
  'encoding',
  'on_error',
  'reject_limit',
  'log_verbosity',
  ...COMPRESSION_OPTIONS,
]);

/**
 * The longest list of options that is parsed. A real one has a hundred characters; one that names all the 1,600 columns
 * that a table can have, each with a name of 63 quotation marks, has 210,000.
 */
export const MAX_OPTIONS_LENGTH = 250_000;

/**
 * Parses the options of an export with PostgreSQL's own grammar: a bare list as Aurora takes it
 * (`format csv, delimiter $$:$$`), or the same in parentheses. What comes back are values only, so that text which
 * tries to leave the list has no effect but an error.
 *
 * @throws SluiceError `options_syntax`. After any other error the parser's memory may be broken: it must not be used any
 * more, and there is one for each thread (agent/parser has them)
 */
export function parseCopyOptions(
  text: string | null,
  { backslashEscapes = false }: ScanOptions = {},
): CopyOption[] {
  const list = text?.trim() ?? '';
  if (list === '') return [];
  if (list.length > MAX_OPTIONS_LENGTH)
    throw optionsSyntaxError(`they are longer than ${MAX_OPTIONS_LENGTH} characters`);
  // The line end closes a comment at the end of the list.
  const inParentheses = list.startsWith('(') ? `${list}\n` : `(${list}\n)\n`;
  const readable = backslashEscapes ? withMarkedEscapes(inParentheses) : inParentheses;
  const options = copyOptionsOf(`COPY (SELECT 1) TO STDOUT WITH ${checkOptionList(readable)}`).map(
    readOption,
  );
  for (const { name } of options) {
    if (!KNOWN_OPTIONS.has(name)) {
      throw new SluiceError('options_syntax', `option "${name}" not recognized`, {
        hint: 'The options of an export are those of COPY TO: format, delimiter, null, header, quote, escape, force_quote, encoding; and compression, compression_level.',
      });
    }
  }
  return options;
}

/** Where a backslash escapes in every string: the same text with E'' for '', as the parser knows only the standard's. */
function withMarkedEscapes(text: string): string {
  const pieces: string[] = [];
  let copied = 0;
  for (const { opening, from, to } of scan(text, { backslashEscapes: true })) {
    if (opening !== "'") continue;
    // A space, so that a word right before the string stays one.
    pieces.push(text.slice(copied, from), ' E', text.slice(from, to));
    copied = to;
  }
  return pieces.join('') + text.slice(copied);
}

/** Loads PostgreSQL's parser (WebAssembly); call once before parseCopyOptions. */
export async function loadParser(): Promise<void> {
  await loadModule();
}

function copyOptionsOf(statement: string): DefElem[] {
  let tree: ParseResult;
  try {
    tree = parseSync(statement);
  } catch (error) {
    if (!(error instanceof Error) || !isSyntaxError(error)) throw error;
    throw optionsSyntaxError(error.message, error);
  }
  const [first, second] = tree.stmts ?? [];
  const copy = first?.stmt !== undefined && 'CopyStmt' in first.stmt ? first.stmt.CopyStmt : undefined;
  const isPlainCopy =
    second === undefined &&
    copy !== undefined &&
    !copy.is_from &&
    !copy.is_program &&
    copy.filename === undefined;
  if (!isPlainCopy) throw optionsSyntaxError('they are not a list of options');
  return (copy.options ?? []).map((option) => {
    if (!('DefElem' in option)) throw optionsSyntaxError('they are not a list of options');
    return option.DefElem;
  });
}

function readOption({ defname: name, arg }: DefElem): CopyOption {
  if (name === undefined) throw optionsSyntaxError('an option has no name');
  if (arg === undefined) return { name, value: null };
  if ('A_Star' in arg) return { name, value: true };
  if ('List' in arg) return { name, value: (arg.List.items ?? []).map((item) => scalar(name, item)) };
  if ('Integer' in arg) return { name, value: arg.Integer.ival ?? 0 };
  return { name, value: scalar(name, arg) };
}

function scalar(name: string, node: Node): string {
  if ('String' in node) return node.String.sval ?? '';
  if ('Integer' in node) return String(node.Integer.ival ?? 0);
  if ('Float' in node) return node.Float.fval ?? '0';
  if ('Boolean' in node) return String(node.Boolean.boolval ?? false);
  throw optionsSyntaxError(`option "${name}" has a value of a kind that COPY does not take`);
}

/** What the parser says of a text. Anything else that it throws is a failure of its own. */
function isSyntaxError(error: Error): boolean {
  return hasSqlDetails(error) && !/out of memory|memory exhausted|stack depth/.test(error.message);
}
