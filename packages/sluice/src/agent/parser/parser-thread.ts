import { Worker } from 'node:worker_threads';
import { workerProgram } from '../../worker-program.ts';
import { limitTime } from './limit-time.ts';
import type { ParseJob, ParseReply } from './parse-job.ts';

/** A thread starts in 0.1 s; on a very busy host it may take much longer. */
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
 * A thread with its own instance of PostgreSQL's parser. It reads one text at a time. It is terminated when a text
 * takes too long, or when the parser fails in any other way than with a syntax error.
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
    // An empty environment: the thread needs none, and the agent's own may hold credentials.
    this.#worker = new Worker(program, { name: 'sluice-parser', env: {}, argv: [], execArgv: [] });
    // An idle thread must not keep the process alive. While a reply is awaited, the timer of limitTime does.
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
    // The first message of the thread says that the parser is loaded.
    await thread.#reply(START_LIMIT_MS);
    return thread;
  }

  /** Resolves when the thread has exited. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  /** Why the thread can't be used any more; undefined while it can. */
  get endedBy(): Error | undefined {
    return this.#endedBy;
  }

  /** Whether it was ended because a text took too long. */
  get hasTimedOut(): boolean {
    return this.#hasTimedOut;
  }

  /** Reads one text; only one may be read at a time. Rejects when the thread ended while it read the text. */
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
    // The promise of terminate() is ignored: `#ended` resolves on 'exit'.
    void this.#worker.terminate();
  }
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
