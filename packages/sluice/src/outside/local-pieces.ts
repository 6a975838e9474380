import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { isSluiceError } from '../errors.ts';
import type { PieceJob, PieceResult } from './piece-job.ts';

/** How often a piece is begun when its connection breaks. */
const MAX_ATTEMPTS = 3;
const FIRST_PAUSE_MS = 500;

/** A session that sees the export's snapshot, and does one piece after another. */
export interface PieceReader {
  /** Errors that are `retryable` are of the session, not of the piece. */
  read(job: PieceJob, signal: AbortSignal): Promise<PieceResult>;
  close(): Promise<void>;
}

export interface LocalPiecesOptions {
  /** Sessions at a time. */
  lanes: number;
  open: (signal: AbortSignal) => Promise<PieceReader>;
  onDone: (result: PieceResult) => void;
  /** A piece is tried again, since its session was lost. */
  onRetry: (job: PieceJob, error: unknown) => void;
  signal: AbortSignal | undefined;
}

/**
 * Does the pieces of an export in this process, the largest first, so that no session is idle while a large one is still
 * to be begun.
 *
 * @returns when all are done
 * @throws the first failure, or the signal's reason, when nothing runs any more. The results that `onDone` was given are
 *   still to be taken back
 */
export async function doPieces(jobs: readonly PieceJob[], options: LocalPiecesOptions): Promise<void> {
  const queue = jobs.toSorted((a, b) => b.estimatedBytes - a.estimatedBytes);
  const stopping = new AbortController();
  const signal =
    options.signal === undefined ? stopping.signal : AbortSignal.any([options.signal, stopping.signal]);
  setMaxListeners(0, signal);
  const lanes = Array.from({ length: Math.min(options.lanes, queue.length) }, () =>
    new Lane(queue, options, signal).run().catch((error: unknown) => {
      // The first reason counts, also when the others end because of it.
      stopping.abort(error);
      throw error;
    }),
  );
  await Promise.allSettled(lanes);
  signal.throwIfAborted();
}

class Lane {
  readonly #queue: PieceJob[];
  readonly #options: LocalPiecesOptions;
  readonly #signal: AbortSignal;
  #reader: PieceReader | undefined;

  constructor(queue: PieceJob[], options: LocalPiecesOptions, signal: AbortSignal) {
    this.#queue = queue;
    this.#options = options;
    this.#signal = signal;
  }

  async run(): Promise<void> {
    try {
      for (let job = this.#queue.shift(); job !== undefined; job = this.#queue.shift()) {
        this.#options.onDone(await this.#do(job));
      }
    } finally {
      await this.#close();
    }
  }

  async #do(job: PieceJob): Promise<PieceResult> {
    for (let attempt = 1; ; attempt += 1) {
      this.#signal.throwIfAborted();
      try {
        this.#reader ??= await this.#options.open(this.#signal);
        return await this.#reader.read(job, this.#signal);
      } catch (error) {
        this.#signal.throwIfAborted();
        await this.#close();
        const mayRetry = isSluiceError(error) && error.retryable && attempt < MAX_ATTEMPTS;
        if (!mayRetry) throw error;
        this.#options.onRetry(job, error);
        await delay(FIRST_PAUSE_MS * 2 ** (attempt - 1), undefined, { signal: this.#signal });
      }
    }
  }

  async #close(): Promise<void> {
    const reader = this.#reader;
    this.#reader = undefined;
    await Promise.allSettled([reader?.close()]);
  }
}
