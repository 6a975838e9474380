import { escapeIdentifier, escapeLiteral } from 'pg';
import type { CopyOption } from '../copy-options/parse-copy-options.ts';

/**
 * The COPY that gives the rows of a query, as aws_s3._export and sluice.copy_options write it: options by what PostgreSQL's
 * grammar has read, quoted again.
 *
 * @param query one statement; the line end closes a comment at its end
 */
export function copyStatement(query: string, options: readonly CopyOption[]): string {
  const list = options.map(({ name, value }) => {
    const quotedName = escapeIdentifier(name);
    if (value === null) return quotedName;
    if (value === true) return `${quotedName} *`;
    if (Array.isArray(value))
      return `${quotedName} (${value.map((column) => escapeIdentifier(column)).join(', ')})`;
    // header 1 is a Boolean, header '1' is not.
    return `${quotedName} ${typeof value === 'number' ? value : escapeLiteral(value)}`;
  });
  return `COPY (${query}\n) TO STDOUT${list.length === 0 ? '' : ` WITH (${list.join(', ')})`}`;
}
