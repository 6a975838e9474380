import { SluiceError } from '../../errors.ts';
import { limitTime } from './limit-time.ts';
import type { ParseJob, ParseReply } from './parse-job.ts';

const MAX_WAITING_SHORT = 1_024;
/** A long text may have 4 MiB. */
const MAX_WAITING_LONG = 64;
const WAIT_LIMIT_MS = 5_000;

export interface QueuedJob {
  job: ParseJob;
  isLong: boolean;
  /** True when a thread was lost while it read this text, and the text is tried again. */
  isSecondTry: boolean;
  resolve: (reply: ParseReply) => void;
  reject: (error: unknown) => void;
}

/** Texts that wait for a parser thread. Their number and their waiting time are limited; short texts go first. */
export class JobQueue {
  readonly #short = new Set<QueuedJob>();
  readonly #long = new Set<QueuedJob>();

  /** Rejects when too many texts wait already, when this one has waited too long, or when its signal is aborted. */
  async add(job: ParseJob, { isLong, signal }: { isLong: boolean; signal?: AbortSignal | undefined }) {
    signal?.throwIfAborted();
    const queue = isLong ? this.#long : this.#short;
    if (queue.size >= (isLong ? MAX_WAITING_LONG : MAX_WAITING_SHORT)) throw tooBusy();
    const stop: (() => void)[] = [];
    try {
      return await new Promise<ParseReply>((resolve, reject) => {
        const queued = { job, isLong, isSecondTry: false, resolve, reject };
        const leave = (reason: unknown) => {
          if (queue.delete(queued)) reject(reason);
        };
        const onAbort = () => leave(signal?.reason);
        signal?.addEventListener('abort', onAbort, { once: true });
        stop.push(
          () => signal?.removeEventListener('abort', onAbort),
          limitTime(WAIT_LIMIT_MS, () => leave(tooBusy())),
        );
        queue.add(queued);
      });
    } finally {
      for (const end of stop) end();
    }
  }

  /** Takes the text that has waited longest, a short one before a long one. */
  next({ mayBeLong }: { mayBeLong: boolean }): QueuedJob | undefined {
    for (const queue of mayBeLong ? [this.#short, this.#long] : [this.#short]) {
      for (const queued of queue) {
        queue.delete(queued);
        return queued;
      }
    }
    return undefined;
  }

  /** Puts a text back whose thread was lost, for a second try. */
  putBack(queued: QueuedJob): void {
    queued.isSecondTry = true;
    (queued.isLong ? this.#long : this.#short).add(queued);
  }

  /** Rejects every text that waits. */
  clear(reason: SluiceError): void {
    for (const queue of [this.#short, this.#long]) {
      for (const queued of queue) queued.reject(reason);
      queue.clear();
    }
  }
}

function tooBusy(): SluiceError {
  return new SluiceError('agent_unavailable', 'the Sluice agent has too many queries and options to read', {
    hint: 'Export again later.',
  });
}
