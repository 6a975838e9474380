import process from 'node:process';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** The signals that ask a command to stop: the first gently, the second at once. */
export interface StopSignals extends Disposable {
  readonly first: AbortSignal;
  readonly second: AbortSignal;
  /** Settles at the first signal. */
  readonly arrived: Promise<undefined>;
}

export function untilStopSignal(log: (line: string) => void): StopSignals {
  const [first, second] = [new AbortController(), new AbortController()];
  const onSignal = (name: NodeJS.Signals) => {
    if (first.signal.aborted) {
      second.abort();
      return;
    }
    log(name === 'SIGINT' ? 'stopping (Ctrl-C again to hurry)' : 'stopping');
    first.abort(new Error(`stopped by ${name}`));
  };
  for (const name of SIGNALS) process.on(name, onSignal);
  return {
    first: first.signal,
    second: second.signal,
    arrived: new Promise((resolve) => {
      first.signal.addEventListener('abort', () => resolve(undefined), { once: true });
    }),
    [Symbol.dispose]() {
      for (const name of SIGNALS) process.off(name, onSignal);
    },
  };
}
