import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 5 * 60_000;
const MAX_RUNNING = 4;
/** Tasks beyond this number stay in the journal, and are done after the next start. */
const MAX_TASKS = 10_000;

export interface CleanupTask {
  /** What is cleaned up: fields for the log. */
  about: object;
  /** The log message when an attempt fails; the error is logged with it. */
  failure: string;
  /** @returns true when nothing is left to do; otherwise the task is run again after a pause */
  run(signal: AbortSignal): Promise<boolean>;
}

/**
 * Runs clean-up tasks at S3 in the background, a few at a time. A task that is not done is tried again after growing
 * pauses: the role may not be associated yet, or S3 may be unreachable.
 */
export class CleanupQueue {
  readonly #log: Logger;
  readonly #stopping = new AbortController();
  readonly #tasks = new Set<Promise<void>>();
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(log: Logger) {
    this.#log = log;
  }

  add(task: CleanupTask): void {
    if (this.#stopping.signal.aborted) return;
    if (this.#tasks.size >= MAX_TASKS) {
      this.#log.error(
        task.about,
        'too much is to be cleaned up: the rest will be when the process is restarted',
      );
      return;
    }
    const done = this.#drive(task)
      .catch((error: unknown) => this.#log.error({ ...task.about, err: error }, 'a clean-up failed'))
      .finally(() => this.#tasks.delete(done));
    this.#tasks.add(done);
  }

  /** Stops the tasks. What they have not done stays in the journal. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error('the process is shutting down'));
    for (const wake of this.#waiting.splice(0)) wake();
    await Promise.all(this.#tasks);
  }

  async #drive(task: CleanupTask): Promise<void> {
    const { signal } = this.#stopping;
    let lastError: string | undefined;
    for (let pauseMs = FIRST_PAUSE_MS; !signal.aborted; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      await this.#turn();
      try {
        if (signal.aborted || (await task.run(signal))) return;
      } catch (error) {
        // The same error is logged once, not at every attempt.
        if (!signal.aborted && lastError !== String(error)) {
          this.#log.error({ ...task.about, err: error }, task.failure);
        }
        lastError = String(error);
      } finally {
        this.#running -= 1;
        this.#waiting.shift()?.();
      }
      const jitteredMs = pauseMs * (0.75 + Math.random() / 2);
      await Promise.allSettled([delay(jitteredMs, undefined, { signal, ref: false })]);
    }
  }

  async #turn(): Promise<void> {
    while (this.#running >= MAX_RUNNING && !this.#stopping.signal.aborted) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#running += 1;
  }
}
