import { hasSqlDetails, loadModule, parseSync, type DefElem, type Node, type ParseResult } from 'libpg-query';
import { SluiceError } from '../errors.ts';
import { checkOptionList } from './check-option-list.ts';
import { optionsSyntaxError } from './options-syntax.ts';
import { scan, type ScanOptions } from './scan.ts';
import { COMPRESSION_OPTIONS } from './take-compression.ts';

/**
 * One option of COPY's WITH list. `value` is a string or an integer as PostgreSQL's grammar reads it, a list of column
 * names (`force_quote (a, b)`), `true` for `*` (`force_quote *`), or null for an option without a value (`header`).
 */
export interface CopyOption {
  name: string;
  value: string | number | string[] | true | null;
}

/**
 * Every option name that COPY has in PostgreSQL 14 to 18, in both directions. Options of COPY FROM are passed on, since
 * the best error about them is COPY TO's own. The options of Sluice itself are among them; COPY never sees those
 * (takeCompression).
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
 * The longest list of options that is accepted. A typical one has a hundred characters. One that names the 1,600
 * columns that a table can have, each with a name of 63 quotation marks, has 210,000.
 */
export const MAX_OPTIONS_LENGTH = 250_000;

/**
 * Parses the options of an export with PostgreSQL's own grammar: a bare list as Aurora accepts it (`format csv,
 * delimiter $$:$$`), or the same in parentheses. Only names and values are returned, so a text that tries to end the
 * list and go on with other SQL gives an error and nothing else.
 *
 * @throws SluiceError `options_syntax`. After any other error the memory of this thread's parser may be corrupt, and
 *   the parser must not be used any more (agent/parser replaces the thread)
 */
export function parseCopyOptions(
  text: string | null,
  { backslashEscapes = false }: ScanOptions = {},
): CopyOption[] {
  const list = text?.trim() ?? '';
  if (list === '') return [];
  if (list.length > MAX_OPTIONS_LENGTH)
    throw optionsSyntaxError(`they are longer than ${MAX_OPTIONS_LENGTH} characters`);
  // The line end closes a line comment at the end of the list.
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

/**
 * For sessions in which a backslash escapes in every string: writes such strings as E'...', because the parser reads
 * plain ones by standard_conforming_strings = on.
 */
function withMarkedEscapes(text: string): string {
  const pieces: string[] = [];
  let copied = 0;
  for (const { opening, from, to } of scan(text, { backslashEscapes: true })) {
    if (opening !== "'") continue;
    // The space keeps the E apart from a word right before the string.
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

/** True when the parser reports a problem of the text; any other error is a failure of the parser itself. */
function isSyntaxError(error: Error): boolean {
  return hasSqlDetails(error) && !/out of memory|memory exhausted|stack depth/.test(error.message);
}
