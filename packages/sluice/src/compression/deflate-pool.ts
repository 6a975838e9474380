import { availableParallelism } from 'node:os';
import { SluiceError } from '../errors.ts';
import type { DeflateJob, DeflateReply } from './deflate-job.ts';
import { DeflateThread } from './deflate-thread.ts';

/** More would be of no use: the one thread that reads and sends all bytes can't keep them busy. */
const MOST_THREADS = 16;
/** A thread has its next job at hand when it ends one. */
const JOBS_OF_THREAD = 2;

interface WaitingJob {
  job: DeflateJob;
  resolve: (reply: Promise<DeflateReply>) => void;
  reject: (error: unknown) => void;
}

/** Threads that compress for all exports of a process, made as they are needed. The jobs of all are taken in turn. */
export class DeflatePool {
  readonly maxThreads: number;
  readonly #start: () => DeflateThread;
  #threads: DeflateThread[] = [];
  readonly #waiting: WaitingJob[] = [];

  constructor({
    maxThreads = Math.min(availableParallelism(), MOST_THREADS),
    start = () => new DeflateThread(),
  }: { maxThreads?: number; start?: () => DeflateThread } = {}) {
    this.maxThreads = maxThreads;
    this.#start = start;
  }

  /** Rejects when the thread is lost, or none can be started; the next job finds another. */
  async run(job: DeflateJob): Promise<DeflateReply> {
    const reply = new Promise<DeflateReply>((resolve, reject) => {
      this.#waiting.push({ job, resolve, reject });
    });
    this.#dispatch();
    return reply;
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }

  #dispatch(): void {
    while (this.#waiting.length > 0) {
      const thread = this.#freeThread();
      if (thread === undefined) return;
      const next = this.#waiting.shift();
      if (next === undefined) return;
      const reply = thread.run(next.job);
      next.resolve(reply);
      const onEnd = (): void => this.#dispatch();
      reply.then(onEnd, onEnd);
    }
  }

  /** An idle one, else a new one, else the one with the fewest jobs, if it may have another. */
  #freeThread(): DeflateThread | undefined {
    this.#threads = this.#threads.filter(({ endedBy }) => endedBy === undefined);
    const [first] = this.#threads.toSorted((a, b) => a.jobs - b.jobs);
    if (first?.jobs === 0) return first;
    const another = this.#threads.length < this.maxThreads ? this.#startThread() : undefined;
    if (another !== undefined) return another;
    return first !== undefined && first.jobs < JOBS_OF_THREAD ? first : undefined;
  }

  /** Where none can be started, those that there are take all jobs. */
  #startThread(): DeflateThread | undefined {
    try {
      const thread = this.#start();
      this.#threads.push(thread);
      return thread;
    } catch (cause) {
      if (this.#threads.length > 0) return undefined;
      const error = new SluiceError('internal', 'could not start a thread to compress', {
        cause,
        detail: cause instanceof Error ? `${cause.message}.` : undefined,
        hint: 'Is the host short of memory or threads? Export again, or without compression.',
        retryable: true,
      });
      for (const { reject } of this.#waiting.splice(0)) reject(error);
      return undefined;
    }
  }
}
