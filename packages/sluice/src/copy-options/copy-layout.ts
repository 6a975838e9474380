import type { RowFormat } from '../exporter/row-format.ts';
import type { CopyOption } from './parse-copy-options.ts';
import { canonicalEncoding, charsetOf } from './encoding.ts';

/** How COPY lays out its bytes with given options. */
export interface CopyLayout {
  rowFormat: RowFormat;
  contentType: string;
}

/**
 * Derives the layout of COPY's output from its options. Never fails: COPY itself refuses wrong options, with its own
 * error, before it writes a byte.
 *
 * @param clientEncoding the session's encoding, which COPY uses without an `encoding` option
 */
export function copyLayout(options: readonly CopyOption[], clientEncoding: string): CopyLayout {
  const value = (name: string) => options.findLast((option) => option.name === name)?.value;
  const text = (name: string) => {
    const found = value(name);
    return typeof found === 'string' || typeof found === 'number' ? String(found) : undefined;
  };
  const encoding = canonicalEncoding(text('encoding') ?? clientEncoding);
  const charset = charsetOf(encoding);
  const withCharset = (type: string) => (charset === undefined ? type : `${type}; charset=${charset}`);
  const header = isHeader(value('header'));
  switch (text('format')) {
    case 'csv': {
      const quote = oneCharacter(text('quote')) ?? '"';
      return {
        rowFormat: { format: 'csv', header, quote, escape: oneCharacter(text('escape')) ?? quote, encoding },
        contentType: withCharset('text/csv'),
      };
    }
    case 'binary':
      return { rowFormat: { format: 'binary' }, contentType: 'application/octet-stream' };
    default:
      return { rowFormat: { format: 'text', header }, contentType: withCharset('text/plain') };
  }
}

function oneCharacter(text: string | undefined): string | undefined {
  return text?.length === 1 ? text : undefined;
}

/**
 * Reads a Boolean option like PostgreSQL: without a value it is true. Source: defGetBoolean in
 * src/backend/commands/define.c.
 */
function isHeader(value: CopyOption['value'] | undefined): boolean {
  if (value === undefined) return false;
  return typeof value !== 'string' ? value !== 0 : !['false', 'off'].includes(value.toLowerCase());
}
