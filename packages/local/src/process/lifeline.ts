import { spawn } from 'node:child_process';

/**
 * Ends another process when this process dies without being able to do it (kill -9, out of memory).
 *
 * A small shell waits for the end of its standard input, whose other end only this process has. The shell is in its own
 * session, so that Ctrl-C in a terminal does not end it. A server that survives even this is found at the next start
 * through its postmaster.pid.
 */
export interface Lifeline {
  /** Called when the process has ended properly: the shell has nothing left to do. */
  release(): void;
}

/** Arguments: process id, signal, directories. Sends the signal, waits up to 10 seconds, and then sends SIGQUIT. */
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

/** @param temporaryDirectories removed in the end; no other process may ever use them */
export function attachLifeline(
  pid: number,
  signal: 'INT' | 'TERM',
  temporaryDirectories: readonly string[] = [],
): Lifeline {
  const args = ['-c', SCRIPT, 'sluice-lifeline', String(pid), signal, ...temporaryDirectories];
  const shell = spawn('/bin/sh', args, { cwd: '/', detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  // If the shell can't be started, there is no lifeline; the process works without it.
  shell.once('error', () => undefined);
  shell.stdin.on('error', () => undefined);
  shell.unref();
  // The pipe of a ChildProcess is a socket, whose handle would keep this process running.
  if ('unref' in shell.stdin && typeof shell.stdin.unref === 'function') shell.stdin.unref();
  return {
    release() {
      shell.kill('SIGKILL');
    },
  };
}
