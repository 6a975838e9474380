import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 5 * 60_000;
const MAX_RUNNING = 4;
/** What does not fit stays in the journal, for the next start. */
const MAX_TASKS = 10_000;

export interface CleanupTask {
  /** What is cleaned up, for the log. */
  about: object;
  /** What is said when it can't be done: the error follows. */
  failure: string;
  /** @returns whether nothing more is to be done; if not, it is run again after a pause */
  run(signal: AbortSignal): Promise<boolean>;
}

/**
 * Cleans up at S3 in the background, a few things at a time, and tries again after growing pauses: the role may not be
 * there yet, or S3 not be reached.
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
        'too much is to be cleaned up: the agent will try again when it is restarted',
      );
      return;
    }
    const done = this.#drive(task)
      .catch((error: unknown) => this.#log.error({ ...task.about, err: error }, 'a clean-up failed'))
      .finally(() => this.#tasks.delete(done));
    this.#tasks.add(done);
  }

  /** What is not done stays in the journal. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error('the agent is shutting down'));
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
        // A failure that comes again is not worth another line.
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
