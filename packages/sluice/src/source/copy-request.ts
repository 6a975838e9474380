import type { Client } from 'pg';
import type { Compression } from '../compression/compression.ts';
import { copyLayout, type CopyLayout } from '../copy-options/copy-layout.ts';
import { loadParser, parseCopyOptions, type CopyOption } from '../copy-options/parse-copy-options.ts';
import { takeCompression } from '../copy-options/take-compression.ts';
import { singleStatement } from '../copy-options/parse-statement.ts';
import { SluiceError } from '../errors.ts';
import { sessionError } from './lost-connection.ts';
import { SourceClient } from './source-client.ts';

/** How a session's COPY writes rows: what its options, and its settings where they do not say, come to. */
export interface CopyRequest {
  options: readonly CopyOption[];
  layout: CopyLayout;
  /** Asked for among the options, where COPY does not have it. */
  compression: Compression | undefined;
  /** Whether a backslash escapes in the session's strings: standard_conforming_strings is off. */
  backslashEscapes: boolean;
}

const SETTINGS = `
  SELECT pg_catalog.current_setting('standard_conforming_strings') OPERATOR(pg_catalog.=) 'off' AS "backslashEscapes",
    pg_catalog.current_setting('client_encoding') AS "clientEncoding"`;

/** @throws SluiceError `options_syntax`, `invalid_argument`, `not_supported` */
export async function copyRequestOf(client: Client, copyOptions = ''): Promise<CopyRequest> {
  await loadParser();
  const { rows } = await client
    .query<{ backslashEscapes: boolean; clientEncoding: string }>(SETTINGS)
    .catch((error: unknown) => {
      throw sessionError(error);
    });
  const { backslashEscapes = false, clientEncoding = 'UTF8' } = rows[0] ?? {};
  const copyEncoding = client instanceof SourceClient ? client.copyEncoding : clientEncoding;
  const parsed = parseCopyOptions(copyOptions, { backslashEscapes });
  const { copyOptions: options, compression } = takeCompression(parsed);
  return { options, layout: copyLayout(options, copyEncoding), compression, backslashEscapes };
}

/**
 * The one statement of a query's text.
 *
 * @throws SluiceError `options_syntax`: there are several, or none
 */
export function statementIn(
  query: string,
  { backslashEscapes }: Pick<CopyRequest, 'backslashEscapes'>,
): string {
  const statement = singleStatement(query, { backslashEscapes, hint: 'Export one query at a time.' });
  if (statement.trim() !== '') return statement;
  throw new SluiceError('options_syntax', 'query must not be empty', {
    hint: 'Give a query that COPY (query) TO takes: SELECT, VALUES, TABLE, WITH, or INSERT, UPDATE or DELETE with RETURNING.',
  });
}

/** Whether the first line of the output is no row. */
export function hasHeaderLine({ layout: { rowFormat } }: Pick<CopyRequest, 'layout'>): boolean {
  return rowFormat.format !== 'binary' && rowFormat.header;
}
