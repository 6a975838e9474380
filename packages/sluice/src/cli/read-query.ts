import { addAbortSignal } from 'node:stream';
import { text } from 'node:stream/consumers';
import { SluiceError } from '../errors.ts';

/** The query of a command line: itself, or for `-` what comes from standard input. */
export async function readQuery(query: string, { signal }: { signal: AbortSignal }): Promise<string> {
  const read = query === '-' ? await readInput(signal) : query;
  if (read.trim() !== '') return read;
  throw new SluiceError('missing_argument', 'the query is empty', {
    hint: 'Give a query after --query, or --query - and the query on standard input.',
  });
}

/** A terminal, or a pipe that nobody writes to, must not hold up Ctrl-C. */
async function readInput(signal: AbortSignal): Promise<string> {
  try {
    return await text(addAbortSignal(signal, process.stdin));
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}
