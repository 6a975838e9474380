import { SluiceError } from '../errors.ts';
import { hasHeaderLine, type CopyRequest } from '../source/copy-request.ts';
import { copyStatement } from '../source/copy-statement.ts';
import type { PieceJob } from './piece-job.ts';

/** Which files of a table begin with the header line that COPY's option `header` asks for. */
export type HeaderIn =
  /** Each, so that each can be read alone. */
  | 'each'
  /** The first, so that all of them, one after another, are what COPY of the whole table writes. */
  | 'first';

/**
 * How the pieces of tables are copied.
 *
 * @returns a function of the query that gives a piece's rows, and of its place in its table, from 0
 * @throws SluiceError `invalid_argument`: it is said where the header goes, and there is none
 */
export function pieceCopies(
  { options, layout }: Pick<CopyRequest, 'options' | 'layout'>,
  headerIn: HeaderIn | undefined,
): (query: string, index: number) => Pick<PieceJob, 'sql' | 'hasHeaderLine'> {
  const hasHeader = hasHeaderLine({ layout });
  if (headerIn !== undefined && !hasHeader) {
    throw new SluiceError(
      'invalid_argument',
      `there is no header line to put in ${headerIn === 'each' ? 'each file' : 'the first file'}`,
      {
        detail: "COPY's options ask for none.",
        hint: "Give COPY's option header, as in: format csv, header true.",
      },
    );
  }
  const withoutHeader = options.filter(({ name }) => name !== 'header');
  return (query, index) =>
    headerIn === 'first' && index > 0
      ? { sql: copyStatement(query, withoutHeader), hasHeaderLine: false }
      : { sql: copyStatement(query, options), hasHeaderLine: hasHeader };
}
