import { setMaxListeners } from 'node:events';

/** The first error of the export, wrapped because the error itself may be undefined. */
interface Failure {
  error: unknown;
}

/**
 * The requests of one export that are in flight, limited in number. When one fails, the others are aborted, and the
 * wait in which the export is rejects at once.
 */
export class PartScheduler {
  readonly #limit: number;
  readonly #aborter = new AbortController();
  readonly #running = new Set<Promise<void>>();
  #failure: Failure | undefined;
  #giveUpWaiting: ((error: unknown) => void) | undefined;

  constructor({ partsInFlight }: { partsInFlight: number }) {
    this.#limit = partsInFlight;
    // Each request in flight adds a listener, and so does each wait between attempts: more than Node's default of 10.
    setMaxListeners(0, this.#aborter.signal);
  }

  get inFlight(): number {
    return this.#running.size;
  }

  /** Waits until fewer tasks than the limit are running, then starts this one without waiting for its end. */
  async start(task: (signal: AbortSignal) => Promise<void>): Promise<void> {
    this.throwIfFailed();
    while (this.#running.size >= this.#limit) await this.wait(this.nextEnd());
    const run = task(this.#aborter.signal)
      .catch((error: unknown) => this.fail(error))
      .finally(() => this.#running.delete(run));
    this.#running.add(run);
  }

  /** Resolves when one of the running tasks has ended. */
  async nextEnd(): Promise<void> {
    await Promise.race(this.#running);
  }

  /**
   * Waits for a promise, and rejects at the first failure of the export. Only one wait at a time: an export is one
   * sequence of steps.
   */
  wait<T>(promise: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      // Not Promise.race with one promise of the failure: that promise stays pending, and would keep a reaction for
      // each chunk.
      this.#giveUpWaiting = reject;
      if (this.#failure !== undefined) reject(this.#failure.error);
      promise.then(resolve, reject);
    });
  }

  /** Records the first failure, and aborts all running tasks. Later failures are ignored. */
  fail(error: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = { error };
    this.#aborter.abort();
    this.#giveUpWaiting?.(error);
  }

  throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Waits for all tasks to end, whether they succeed or fail. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }
}
