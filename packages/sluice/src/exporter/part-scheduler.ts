import { setMaxListeners } from 'node:events';

/** What makes an export end before its source does. */
interface Failure {
  error: unknown;
}

/**
 * The requests of one export that are under way: no more than a few at once. When one fails, the others are aborted and
 * whatever the export waits for is given up, so that it ends at once.
 */
export class PartScheduler {
  readonly #limit: number;
  readonly #aborter = new AbortController();
  readonly #running = new Set<Promise<void>>();
  #failure: Failure | undefined;
  #giveUpWaiting: ((error: unknown) => void) | undefined;

  constructor({ partsInFlight }: { partsInFlight: number }) {
    this.#limit = partsInFlight;
    // Each request in flight listens, and each wait between its attempts.
    setMaxListeners(0, this.#aborter.signal);
  }

  get inFlight(): number {
    return this.#running.size;
  }

  /** Starts a task as soon as fewer than the limit are running, and does not wait for its end. */
  async start(task: (signal: AbortSignal) => Promise<void>): Promise<void> {
    this.throwIfFailed();
    while (this.#running.size >= this.#limit) await this.wait(this.nextEnd());
    const run = task(this.#aborter.signal)
      .catch((error: unknown) => this.fail(error))
      .finally(() => this.#running.delete(run));
    this.#running.add(run);
  }

  /** Settles when one of the running tasks has ended, and counts no longer. */
  async nextEnd(): Promise<void> {
    await Promise.race(this.#running);
  }

  /**
   * Waits for a promise, but no longer than until the first failure, which it then throws. One wait at a time: an
   * export is one sequence of steps.
   */
  wait<T>(promise: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      // Not Promise.race: a promise that stays pending would keep a reaction for each chunk.
      this.#giveUpWaiting = reject;
      if (this.#failure !== undefined) reject(this.#failure.error);
      promise.then(resolve, reject);
    });
  }

  /** The first failure counts; everything that runs is aborted. */
  fail(error: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = { error };
    this.#aborter.abort();
    this.#giveUpWaiting?.(error);
  }

  throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Waits for all tasks to end, well or not. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }
}
