import { SluiceError } from '../errors.ts';
import { isComment, scan, type ScanOptions } from './scan.ts';

const SQL_HINT = 'Call aws_s3.query_export_to_s3 once for each query.';

/**
 * The one statement of a query text, without the semicolon and the comments that may follow it. That the text is a
 * valid statement is not checked here: PostgreSQL does that.
 *
 * @param options.hint what to do instead of giving several statements
 * @throws SluiceError `options_syntax` when the text has more than one statement
 */
export function singleStatement(
  query: string,
  { hint = SQL_HINT, ...options }: ScanOptions & { hint?: string } = {},
): string {
  let end: number | undefined;
  let scanned = 0;
  for (const { opening, from, to } of scan(query, options)) {
    if (end !== undefined && query.slice(scanned, from).trim() !== '') throw severalStatements(hint);
    if (opening === ';') end ??= from;
    else if (end !== undefined && !isComment(opening)) throw severalStatements(hint);
    scanned = to;
  }
  if (end === undefined) return query;
  if (query.slice(scanned).trim() !== '') throw severalStatements(hint);
  return query.slice(0, end);
}

function severalStatements(hint: string): SluiceError {
  return new SluiceError('options_syntax', 'cannot export the results of several statements at once', {
    hint,
  });
}
