import { destination, pino, type LevelWithSilent, type Logger } from 'pino';
import { printable } from '../printable.ts';

/** How many bytes of log lines are kept while the log can't be written. */
const LONGEST_BACKLOG_BYTES = 1024 * 1024;

/** The log of a program that runs for long: JSON lines on standard output. */
export function openLog(level: LevelWithSilent): Logger {
  // Synchronous, so that the last lines before the end are written; with asynchronous writing pino's flush at exit
  // waits for ever on a full disk.
  const output = destination({ dest: process.stdout.fd, sync: true, maxLength: LONGEST_BACKLOG_BYTES });
  // A log that can't be written (a full disk) must not end the exports. Lines that are dropped meanwhile are lost; the
  // next line tries again.
  output.on('error', () => undefined);
  output.on('drop', () => output.flush());
  return pino(
    {
      level,
      base: { pid: process.pid },
      // The log contains names that users chose, and it is read in terminals: control characters are escaped.
      hooks: { streamWrite: printable },
    },
    output,
  );
}
