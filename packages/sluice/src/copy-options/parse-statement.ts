import { parseSync, type ParseResult } from 'libpg-query';
import { SluiceError } from '../errors.ts';

/**
 * The one statement of a query text, without the semicolon and the comments that may follow it. A text that does not
 * parse comes back as it is: the server's own parser, which may be of another version, has the last word.
 *
 * @throws SluiceError `options_syntax` when the text has more than one statement
 */
export function singleStatement(query: string): string {
  let tree: ParseResult;
  try {
    tree = parseSync(query);
  } catch {
    return query;
  }
  const [statement, second] = tree.stmts ?? [];
  if (second !== undefined) {
    throw new SluiceError('options_syntax', 'cannot export the results of several statements at once', {
      hint: 'Call aws_s3.query_export_to_s3 once for each query.',
    });
  }
  if (statement === undefined) return query;
  // Locations are in bytes of UTF-8; a length of 0 means the rest of the text.
  const start = statement.stmt_location ?? 0;
  const end = statement.stmt_len ? start + statement.stmt_len : undefined;
  return Buffer.from(query).subarray(start, end).toString();
}
