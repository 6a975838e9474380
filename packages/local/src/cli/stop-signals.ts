import process from 'node:process';
import { watchNpm } from './npm-launcher.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * What asks a command to stop: a signal (the first one gently, the second one at once), or the end of the npm that runs
 * it.
 */
export interface StopSignals extends Disposable {
  readonly first: AbortSignal;
  readonly second: AbortSignal;
  /** Resolves at the first such request. */
  readonly arrived: Promise<undefined>;
}

export function untilStopSignal(
  log: (line: string) => void,
  { outlivesNpm = false }: { outlivesNpm?: boolean } = {},
): StopSignals {
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
  const onGone = () => {
    if (first.signal.aborted) return;
    log('stopping, since the npm that ran this has ended');
    first.abort(new Error('npm has ended'));
  };
  const endWatch = outlivesNpm ? undefined : watchNpm(process.env, { onGone, log });
  return {
    first: first.signal,
    second: second.signal,
    arrived: new Promise((resolve) => {
      first.signal.addEventListener('abort', () => resolve(undefined), { once: true });
    }),
    [Symbol.dispose]() {
      endWatch?.();
      for (const name of SIGNALS) process.off(name, onSignal);
    },
  };
}
