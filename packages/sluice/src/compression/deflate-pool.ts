import { availableParallelism } from 'node:os';
import type { DeflateJob, DeflateReply } from './deflate-job.ts';
import { DeflateThread } from './deflate-thread.ts';

/** More would be of no use: the one thread that reads and sends all bytes can't keep them busy. */
const MOST_THREADS = 16;
/** A thread has its next job at hand when it ends one. */
const JOBS_OF_THREAD = 2;

interface WaitingJob {
  job: DeflateJob;
  resolve: (reply: Promise<DeflateReply>) => void;
}

/** Threads that compress for all exports of a process, made as they are needed. The jobs of all are taken in turn. */
export class DeflatePool {
  readonly maxThreads: number;
  readonly #start: () => DeflateThread;
  readonly #threads: DeflateThread[] = [];
  readonly #waiting: WaitingJob[] = [];

  constructor({
    maxThreads = Math.min(availableParallelism(), MOST_THREADS),
    start = () => new DeflateThread(),
  }: { maxThreads?: number; start?: () => DeflateThread } = {}) {
    this.maxThreads = maxThreads;
    this.#start = start;
  }

  /** Rejects when the thread is lost; the next job finds another. */
  async run(job: DeflateJob): Promise<DeflateReply> {
    const reply = new Promise<DeflateReply>((resolve) => {
      this.#waiting.push({ job, resolve });
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
    for (const [index, thread] of this.#threads.entries()) {
      if (thread.endedBy !== undefined) this.#threads.splice(index, 1);
    }
    const [first] = this.#threads.toSorted((a, b) => a.jobs - b.jobs);
    if (first?.jobs === 0) return first;
    if (this.#threads.length < this.maxThreads) {
      const thread = this.#start();
      this.#threads.push(thread);
      return thread;
    }
    return first !== undefined && first.jobs < JOBS_OF_THREAD ? first : undefined;
  }
}
