import { Worker } from 'node:worker_threads';
import { SluiceError } from '../errors.ts';
import { workerProgram } from '../worker-program.ts';
import type { DeflateJob, DeflateReply } from './deflate-job.ts';

interface Current {
  resolve: (reply: DeflateReply) => void;
  reject: (error: Error) => void;
}

/** A thread that compresses. It takes jobs in their order. */
export class DeflateThread {
  readonly #worker: Worker;
  readonly #current: Current[] = [];
  #endedBy: Error | undefined;

  constructor(program: URL = workerProgram(import.meta.url, 'deflate-worker')) {
    this.#worker = new Worker(program, {
      name: 'sluice-deflate',
      // It needs nothing of the environment, in which credentials may be.
      env: {},
      argv: [],
      execArgv: [],
      // zlib's buffers are not counted here, but freed with what is: with a small heap that is soon.
      resourceLimits: { maxYoungGenerationSizeMb: 2 },
    });
    this.#worker.unref();
    this.#worker.on('message', (reply: DeflateReply) => this.#take()?.resolve(reply));
    this.#worker.on('messageerror', (error) => this.#end(error));
    this.#worker.on('error', (error) => this.#end(error));
    this.#worker.once('exit', () => this.#end(undefined));
  }

  /** Jobs that it has, and has not answered. */
  get jobs(): number {
    return this.#current.length;
  }

  /** Why the thread can't be used any more. */
  get endedBy(): Error | undefined {
    return this.#endedBy;
  }

  /** Rejects, without the job's blocks, when the thread ends first. */
  async run(job: DeflateJob): Promise<DeflateReply> {
    if (this.#endedBy !== undefined) throw this.#endedBy;
    this.#send(job);
    this.#worker.ref();
    return new Promise<DeflateReply>((resolve, reject) => {
      this.#current.push({ resolve, reject });
    });
  }

  async close(): Promise<void> {
    this.#end(undefined);
    await this.#worker.terminate();
  }

  /** Node.js 22 and newer say at once that a job cannot be sent, Node.js 20 in the thread that gets it. */
  #send(job: DeflateJob): void {
    const blocks = job.blocks.map(({ buffer }) => buffer);
    try {
      this.#worker.postMessage(job, blocks);
    } catch (cause) {
      throw new SluiceError('internal', 'a job could not be sent to a thread that compresses', { cause });
    }
  }

  #take(): Current | undefined {
    const current = this.#current.shift();
    // An idle thread keeps no process.
    if (this.#current.length === 0) this.#worker.unref();
    return current;
  }

  #end(cause: unknown): void {
    if (this.#endedBy !== undefined) return;
    const endedBy = new SluiceError('internal', 'a thread that compresses has ended', {
      cause,
      detail: cause instanceof Error ? `${cause.message}.` : undefined,
      hint: 'Is the host short of memory? Export again.',
      retryable: true,
    });
    this.#endedBy = endedBy;
    for (const { reject } of this.#current.splice(0)) reject(endedBy);
    // Settles when it is gone, which nobody waits for.
    void this.#worker.terminate();
  }
}
