import type { Logger } from 'pino';
import { MAX_OPTIONS_LENGTH, type CopyOption } from '../../copy-options/parse-copy-options.ts';
import { optionsSyntaxError } from '../../copy-options/options-syntax.ts';
import type { ScanOptions } from '../../copy-options/scan.ts';
import { SluiceError } from '../../errors.ts';
import { JobQueue, type QueuedJob } from './job-queue.ts';
import { revivedError, type ParseJob, type ParseReply, type ReadRequest } from './parse-job.ts';
import { ParserThread } from './parser-thread.ts';

/** One for a long text, one for short texts, and one in reserve in case another is lost. */
const THREADS = 3;
/** The longest text that must be accepted takes 50 ms. */
const TIME_LIMIT_MS = 2_000;
/** Longer texts are read one at a time, so that a thread stays free for short ones, which are read at once. */
const SHORT_TEXT_LENGTH = 16_384;

export interface ParserPoolOptions {
  log: Logger;
  /** The program of the threads. @default parser-worker */
  program?: URL | undefined;
  /** A text that takes longer is refused, and its thread is replaced. @default 2000 */
  timeLimitMs?: number | undefined;
}

/**
 * Parses what users write, in threads that can be terminated: a text that breaks the parser, or keeps it busy, does not
 * affect other requests. A thread that ends is replaced.
 */
export class ParserPool {
  readonly #options: ParserPoolOptions;
  readonly #queue = new JobQueue();
  readonly #threads = new Set<ParserThread>();
  readonly #idle: ParserThread[] = [];
  #starting = 0;
  #isLongRunning = false;
  #isClosed = false;

  private constructor(options: ParserPoolOptions) {
    this.#options = options;
  }

  /** Rejects when no thread can be started. */
  static async open(options: ParserPoolOptions): Promise<ParserPool> {
    const pool = new ParserPool(options);
    try {
      await Promise.all(Array.from({ length: THREADS }, () => pool.#start()));
    } catch (error) {
      await pool.close();
      throw error;
    }
    return pool;
  }

  /**
   * The options of an export: see parseCopyOptions.
   *
   * @throws SluiceError `options_syntax`, `text_too_complex`, `agent_unavailable`
   */
  async copyOptions(
    text: string | null,
    { backslashEscapes = false, signal }: ScanOptions & { signal?: AbortSignal } = {},
  ): Promise<CopyOption[]> {
    const list = text?.trim() ?? '';
    if (list === '') return [];
    if (list.length > MAX_OPTIONS_LENGTH)
      throw optionsSyntaxError(`they are longer than ${MAX_OPTIONS_LENGTH} characters`);
    const reply = await this.#run({ kind: 'options', text: list, backslashEscapes }, list.length, signal);
    return reply.options;
  }

  /**
   * The one statement of a query: see singleStatement.
   *
   * @throws SluiceError `options_syntax`, `text_too_complex`, `agent_unavailable`
   */
  async singleStatement(query: string, { backslashEscapes = false }: ScanOptions = {}): Promise<string> {
    const { end } = await this.#run({ kind: 'statement', query, backslashEscapes }, query.length);
    return query.slice(0, end);
  }

  /**
   * Decodes a request that is too long to be decoded in the agent's own thread. A `statement` request is also answered.
   *
   * @throws SluiceError `protocol_violation`, and as singleStatement
   */
  async readRequest(text: Uint8Array): Promise<ReadRequest> {
    // A copy, since its buffer is transferred to the thread.
    return this.#run({ kind: 'request', text: new Uint8Array(text) }, text.length);
  }

  /** Ends all threads. Texts that wait are rejected with the error that the agent shuts down. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#queue.clear(shuttingDown());
    await Promise.all([...this.#threads].map((thread) => thread.close()));
  }

  async #run<K extends ParseJob['kind']>(
    job: ParseJob & { kind: K },
    length: number,
    signal?: AbortSignal,
  ): Promise<Extract<ParseReply, { kind: K }>> {
    if (this.#isClosed) throw shuttingDown();
    const isLong = length > SHORT_TEXT_LENGTH;
    const reply = this.#queue.add(job, { isLong, signal });
    this.#fill();
    this.#dispatch();
    return replyOf<K>(job.kind, await reply);
  }

  #dispatch(): void {
    for (;;) {
      const thread = this.#idle.at(-1);
      if (thread === undefined) return;
      if (thread.endedBy !== undefined) {
        this.#idle.pop();
        continue;
      }
      const queued = this.#queue.next({ mayBeLong: !this.#isLongRunning });
      if (queued === undefined) return;
      this.#idle.pop();
      void this.#runOn(thread, queued);
    }
  }

  async #runOn(thread: ParserThread, queued: QueuedJob): Promise<void> {
    const { job, isLong, isSecondTry, resolve, reject } = queued;
    if (isLong) this.#isLongRunning = true;
    try {
      resolve(await thread.run(job));
    } catch (error) {
      if (this.#isClosed) reject(shuttingDown());
      // The thread may have ended for another reason than this text, so the text is tried once more; if a second thread
      // is lost, the text is the cause. A request can't be tried again: its buffer was transferred to the lost thread.
      else if (isSecondTry || thread.hasTimedOut || job.kind === 'request') reject(tooComplex(job, error));
      else this.#queue.putBack(queued);
    } finally {
      if (isLong) this.#isLongRunning = false;
      if (thread.endedBy === undefined) this.#idle.push(thread);
      this.#dispatch();
    }
  }

  /** Starts the threads that are missing. */
  #fill(): void {
    while (this.#threads.size + this.#starting < THREADS) {
      this.#start().catch((error: unknown) => {
        this.#options.log.error({ err: error }, 'could not start a parser');
        // No thread is left, so the waiting texts would never be read. The next request starts threads again.
        if (this.#threads.size + this.#starting === 0) this.#queue.clear(asSluiceError(error));
      });
    }
  }

  async #start(): Promise<void> {
    const { program, timeLimitMs = TIME_LIMIT_MS } = this.#options;
    this.#starting += 1;
    let thread: ParserThread;
    try {
      thread = await ParserThread.start({ program, timeLimitMs });
    } catch (error) {
      throw cannotStart(error);
    } finally {
      this.#starting -= 1;
    }
    if (this.#isClosed) return thread.close();
    this.#threads.add(thread);
    void thread.ended.then(() => this.#lost(thread));
    this.#idle.push(thread);
    this.#dispatch();
  }

  #lost(thread: ParserThread): void {
    this.#threads.delete(thread);
    const place = this.#idle.indexOf(thread);
    if (place !== -1) this.#idle.splice(place, 1);
    if (this.#isClosed) return;
    this.#options.log.warn({ err: thread.endedBy }, 'a parser was lost, and is replaced');
    this.#fill();
  }
}

function replyOf<K extends ParseJob['kind']>(kind: K, reply: ParseReply): Extract<ParseReply, { kind: K }> {
  if (reply.kind === 'error') throw revivedError(reply.error);
  if (!isReplyTo(kind, reply)) throw new SluiceError('internal', 'a parser gave the answer to another text');
  return reply;
}

function isReplyTo<K extends ParseJob['kind']>(
  kind: K,
  reply: ParseReply,
): reply is Extract<ParseReply, { kind: K }> {
  return reply.kind === kind;
}

function tooComplex({ kind }: ParseJob, cause: unknown): SluiceError {
  const what = kind === 'options' ? 'options' : 'query';
  return new SluiceError('text_too_complex', `could not read the ${what} of the export`, {
    cause,
    detail: `The parser was ended: ${cause instanceof Error ? cause.message : String(cause)}.`,
    hint: `Write the ${what} shorter. Other exports are not affected.`,
  });
}

function cannotStart(cause: unknown): SluiceError {
  return new SluiceError('agent_unavailable', 'the Sluice agent cannot read queries and options', {
    cause,
    detail: `Its parser could not be started: ${cause instanceof Error ? cause.message : String(cause)}.`,
    hint: 'Is the host short of memory or threads, or was the installation changed? Start the agent anew.',
  });
}

function asSluiceError(error: unknown): SluiceError {
  return error instanceof SluiceError ? error : cannotStart(error);
}

function shuttingDown(): SluiceError {
  return new SluiceError('agent_unavailable', 'the Sluice agent is shutting down', {
    hint: 'Export again when it has started anew.',
  });
}
