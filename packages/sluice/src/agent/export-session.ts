import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { Logger } from 'pino';
import { SluiceError } from '../errors.ts';
import type { ExportResult } from '../exporter/export-request.ts';
import { settlesInTime } from './answer-within.ts';
import { Latch } from './latch.ts';
import { PipeSource } from './pipes/pipe-source.ts';
import type { OpenPipe } from './pipes/pipe-pool.ts';
import { steadyNow } from '../steady-clock.ts';

/** An export whose COPY has ended is committed or aborted at once; one that is not has lost its caller. */
const DECISION_TIMEOUT_MS = 60_000;
const DECISION_CHECK_MS = 10_000;

/** What a commit has come to. */
export type CommitProgress =
  { state: 'pending' } | { state: 'done'; files: number; bytes: number; receipt: string };

type Outcome =
  { status: 'running' } | { status: 'done'; result: ExportResult } | { status: 'failed'; error: unknown };

export interface ExportSessionOptions {
  pipe: OpenPipe;
  log: Logger;
  /**
   * Moves the bytes of the source to S3; ends well only after the source has, and after `confirm`, which it waits for
   * when all objects are there.
   */
  upload: (
    source: AsyncIterable<Uint8Array>,
    options: { signal: AbortSignal; confirm: () => Promise<void> },
  ) => Promise<ExportResult>;
}

/**
 * One export, from begin to commit or abort. It belongs to the connection that began it: when that closes, the export
 * is aborted. The token is known to the SQL function alone, so that other code of the session, which can use the same
 * connection, cannot commit; nor can it answer a commit, which it may have sent to a connection of its own, without
 * the receipt.
 */
export class ExportSession {
  readonly token = randomBytes(16).toString('hex');
  readonly receipt = randomBytes(16).toString('hex');
  readonly pipeName: string;
  readonly #source: PipeSource;
  readonly #log: Logger;
  readonly #abortion = new AbortController();
  readonly #startedAt = steadyNow();
  readonly #ended: Promise<void>;
  readonly #decisionTimer: NodeJS.Timeout;
  /** All objects are there. */
  readonly #stored = new Latch();
  /** The caller is about to be told so: from then on the objects stay. */
  readonly #confirmed = new Latch();
  #outcome: Outcome = { status: 'running' };
  #isCommitted = false;
  #writerGoneAt: number | undefined;

  constructor({ pipe, log, upload }: ExportSessionOptions) {
    this.pipeName = pipe.name;
    this.#log = log;
    this.#source = new PipeSource(pipe);
    const { signal } = this.#abortion;
    this.#ended = upload(this.#source, { signal, confirm: () => this.#waitForCaller() }).then(
      (result) => {
        this.#outcome = { status: 'done', result };
      },
      (error: unknown) => this.#onFailure(error),
    );
    this.#decisionTimer = setInterval(() => this.#checkDecision(), DECISION_CHECK_MS).unref();
  }

  /**
   * COPY has ended well after `rows` rows: publishes the objects. Called again while the answer is "pending".
   *
   * @throws the export's own error, when it has failed
   */
  async commit(token: string, rows: bigint): Promise<CommitProgress> {
    if (!sameToken(token, this.token)) {
      throw new SluiceError('protocol_violation', 'this is not the export that was begun on this connection');
    }
    this.#isCommitted = true;
    this.#source.commit();
    await settlesInTime(Promise.race([this.#stored.opened, this.#ended]));
    // Only now, and not when the objects were there: a caller who is gone by then is told of a failure.
    if (this.#stored.isOpen && !this.#abortion.signal.aborted) {
      this.#confirmed.open();
      await this.#ended;
    }
    const outcome = this.#outcome;
    switch (outcome.status) {
      case 'running':
        return { state: 'pending' };
      case 'failed':
        throw outcome.error;
      case 'done': {
        const files = outcome.result.files.length;
        const { bytes } = outcome.result;
        this.#log.info(
          { rows: rows.toString(), files, bytes, ms: Math.round(steadyNow() - this.#startedAt) },
          'export committed',
        );
        return { state: 'done', files, bytes, receipt: this.receipt };
      }
      default:
        return outcome satisfies never;
    }
  }

  /**
   * Ends the export. What it has published is removed again, as far as that is possible.
   *
   * @returns the reason, when the export had failed by itself before: the caller's own error is then only a consequence
   */
  async abort(reason: string): Promise<{ failure?: unknown }> {
    const outcome = this.#outcome;
    this.fail(new SluiceError('export_aborted', 'the export was aborted', { detail: reason }));
    await this.#source.close();
    clearInterval(this.#decisionTimer);
    // Cleaning up at S3 may take long; the caller need not wait for it.
    await settlesInTime(this.#ended);
    return outcome.status === 'failed' ? { failure: outcome.error } : {};
  }

  /** Ends the export, if it is running, with a reason that its caller is told when COPY or the commit then fails. */
  fail(reason: SluiceError): void {
    if (this.#confirmed.isOpen) return;
    if (this.#outcome.status !== 'running' || this.#abortion.signal.aborted) return;
    this.#log.info({ err: reason, bytes: this.#source.bytesRead }, 'export aborted');
    this.#source.abort(reason);
    this.#abortion.abort(reason);
  }

  /** Whether nothing more is to come of it but the end of its connection. */
  get isOver(): boolean {
    return this.#outcome.status !== 'running' || this.#abortion.signal.aborted;
  }

  /** The session is over, whatever it came to: its connection is gone, or about to go. */
  async close(): Promise<void> {
    if (this.#outcome.status === 'running') await this.abort('the connection was closed');
    clearInterval(this.#decisionTimer);
    await this.#source.close();
    await this.#ended;
  }

  async #waitForCaller(): Promise<void> {
    const { signal } = this.#abortion;
    this.#stored.open();
    signal.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      this.#confirmed.opened.then(resolve, reject);
    });
  }

  #onFailure(error: unknown): void {
    this.#outcome = { status: 'failed', error };
    const { aborted, reason } = this.#abortion.signal;
    if (!aborted) this.#log.error({ err: error }, 'export failed');
    // Its caller may be gone, so the log says it.
    else if (error !== reason)
      this.#log.error({ err: error }, 'cleaned up after an aborted export: the hint says what is left of it');
    this.#source
      .refuseWrites()
      .catch((cause: unknown) => this.#log.error({ err: cause }, 'could not close a pipe'));
  }

  #checkDecision(): void {
    if (this.#isCommitted || !this.#source.writerGone) return;
    this.#writerGoneAt ??= steadyNow();
    if (steadyNow() - this.#writerGoneAt < DECISION_TIMEOUT_MS) return;
    this.abort('neither committed nor aborted after the end of COPY').catch((error: unknown) =>
      this.#log.error({ err: error }, 'could not abort an export'),
    );
  }
}

function sameToken(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
