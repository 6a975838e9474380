import { Worker } from 'node:worker_threads';
import { workerProgram } from '../../worker-program.ts';
import { limitTime } from './limit-time.ts';
import type { ParseJob, ParseReply } from './parse-job.ts';

/** A thread starts in 0.1 s; a host that is busy with everything else may take long. */
const START_LIMIT_MS = 20_000;

export interface ParserThreadOptions {
  /** The program of the thread. @default parser-worker, compiled */
  program?: URL | undefined;
  /** A text that takes longer ends the thread. */
  timeLimitMs: number;
}

interface Current {
  resolve: (reply: ParseReply) => void;
  reject: (error: Error) => void;
}

/**
 * A thread that owns one instance of PostgreSQL's parser. It reads one text at a time, and is ended by one that it can't
 * read in time, or that it fails on otherwise than by saying what is wrong with the text.
 */
export class ParserThread {
  readonly #worker: Worker;
  readonly #timeLimitMs: number;
  readonly #ended: Promise<void>;
  #current: Current | undefined;
  #endedBy: Error | undefined;
  #hasTimedOut = false;

  private constructor({
    program = workerProgram(import.meta.url, 'parser-worker'),
    timeLimitMs,
  }: ParserThreadOptions) {
    this.#timeLimitMs = timeLimitMs;
    // It needs nothing of the environment, in which credentials may be.
    this.#worker = new Worker(program, { name: 'sluice-parser', env: {}, argv: [], execArgv: [] });
    // Whoever waits for a reply waits with a timer; an idle thread keeps no process.
    this.#worker.unref();
    this.#worker.on('message', (reply: ParseReply) => this.#take()?.resolve(reply));
    this.#worker.on('messageerror', (error) => this.#end(error));
    this.#worker.on('error', (error) => this.#end(asError(error)));
    this.#ended = new Promise((resolve) => {
      this.#worker.once('exit', () => {
        this.#end(new Error('its thread has ended'));
        resolve();
      });
    });
  }

  /** Gives a thread that is ready to read. Rejects when it can't be started. */
  static async start(options: ParserThreadOptions): Promise<ParserThread> {
    const thread = new ParserThread(options);
    // Its first message says that the parser is loaded.
    await thread.#reply(START_LIMIT_MS);
    return thread;
  }

  /** Settles when the thread is gone. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  /** Why the thread can't be used any more. */
  get endedBy(): Error | undefined {
    return this.#endedBy;
  }

  /** Whether it was ended because a text took too long. */
  get hasTimedOut(): boolean {
    return this.#hasTimedOut;
  }

  /** Rejects when the text was the end of the thread. One at a time. */
  async run(job: ParseJob): Promise<ParseReply> {
    if (this.#endedBy !== undefined) throw this.#endedBy;
    const reply = this.#reply(this.#timeLimitMs);
    this.#worker.postMessage(job, job.kind === 'request' ? [job.text.buffer] : []);
    return reply;
  }

  async close(): Promise<void> {
    this.#end(new Error('it was closed'));
    this.#worker.ref();
    await this.#ended;
  }

  async #reply(limitMs: number): Promise<ParseReply> {
    const done = limitTime(limitMs, () => {
      this.#hasTimedOut = true;
      this.#end(new Error(`it took longer than ${limitMs} ms`));
    });
    try {
      return await new Promise<ParseReply>((resolve, reject) => {
        this.#current = { resolve, reject };
      });
    } finally {
      done();
    }
  }

  #take(): Current | undefined {
    const current = this.#current;
    this.#current = undefined;
    return current;
  }

  #end(error: Error): void {
    if (this.#endedBy !== undefined) return;
    this.#endedBy = error;
    this.#take()?.reject(error);
    // Settles by 'exit', which is waited for where it matters.
    void this.#worker.terminate();
  }
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
