import { text } from 'node:stream/consumers';
import { SluiceError } from '../errors.ts';

/** The query of a command line: itself, or for `-` what comes from standard input. */
export async function readQuery(query: string): Promise<string> {
  const read = query === '-' ? await text(process.stdin) : query;
  if (read.trim() !== '') return read;
  throw new SluiceError('missing_argument', 'the query is empty', {
    hint: 'Give a query after --query, or --query - and the query on standard input.',
  });
}
