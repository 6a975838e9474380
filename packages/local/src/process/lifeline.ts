import { spawn } from 'node:child_process';

/**
 * Ends another process when ours dies in a way that leaves us no time to do it (kill -9, out of memory).
 *
 * A small shell waits for the end of its standard input, whose other end only we hold. It is in a session of its
 * own, so that Ctrl-C in a terminal does not take it away. A server that outlives even this is found at the next
 * start through its postmaster.pid.
 */
export interface Lifeline {
  /** The process was ended properly: nothing is left to do. */
  release(): void;
}

/** Arguments: process id, signal, directories. After the signal, up to 10 seconds, then SIGQUIT or worse. */
const SCRIPT = `
  pid=$1 signal=$2
  shift 2
  read -r _ || true
  kill -"$signal" "$pid" 2>/dev/null
  n=0
  while kill -0 "$pid" 2>/dev/null && [ "$n" -lt 100 ]; do sleep 0.1; n=$((n + 1)); done
  kill -QUIT "$pid" 2>/dev/null
  [ "$#" -eq 0 ] || rm -rf -- "$@"
`;

/** @param temporaryDirectories removed after that; no other process may ever use them */
export function attachLifeline(
  pid: number,
  signal: 'INT' | 'TERM',
  temporaryDirectories: readonly string[] = [],
): Lifeline {
  const args = ['-c', SCRIPT, 'sluice-lifeline', String(pid), signal, ...temporaryDirectories];
  const shell = spawn('/bin/sh', args, { cwd: '/', detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  // Without a shell there is no lifeline; the process itself is none the worse.
  shell.once('error', () => undefined);
  shell.stdin.on('error', () => undefined);
  shell.unref();
  // A ChildProcess's pipe is a socket, whose handle would keep our event loop alive.
  if ('unref' in shell.stdin && typeof shell.stdin.unref === 'function') shell.stdin.unref();
  return {
    release() {
      shell.kill('SIGKILL');
    },
  };
}
