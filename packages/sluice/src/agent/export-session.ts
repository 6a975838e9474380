import { randomBytes, timingSafeEqual } from 'node:crypto';
import type { Logger } from 'pino';
import { SluiceError } from '../errors.ts';
import type { ExportResult } from '../exporter/export-request.ts';
import { settlesInTime } from './answer-within.ts';
import { Latch } from './latch.ts';
import { PipeSource } from './pipes/pipe-source.ts';
import type { OpenPipe } from './pipes/pipe-pool.ts';
import { steadyNow } from '../steady-clock.ts';

/**
 * After COPY has ended, the extension commits or aborts at once. After this time without either, the caller is gone.
 */
const DECISION_TIMEOUT_MS = 60_000;
const DECISION_CHECK_MS = 10_000;

/** The answer to a commit. */
export type CommitProgress =
  { state: 'pending' } | { state: 'done'; files: number; bytes: number; receipt: string };

type Outcome =
  { status: 'running' } | { status: 'done'; result: ExportResult } | { status: 'failed'; error: unknown };

export interface ExportSessionOptions {
  pipe: OpenPipe;
  log: Logger;
  /**
   * Uploads the bytes of the source. When all objects are stored it waits for `confirm`. It resolves only after the
   * source has ended without error and `confirm` has resolved.
   */
  upload: (
    source: AsyncIterable<Uint8Array>,
    options: { signal: AbortSignal; confirm: () => Promise<void> },
  ) => Promise<ExportResult>;
}

/**
 * One export, from begin to commit or abort. It belongs to the connection that began it: when the connection closes,
 * the export is aborted.
 *
 * Only the SQL function knows the token. Other code of the session could use the same connection, but without the token
 * it cannot commit. Such code could also replace the connection by one of its own, so the agent proves its answer to a
 * commit with the receipt, which only the agent and the SQL function know.
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
  /** Open when all objects are stored. */
  readonly #stored = new Latch();
  /** Open when the agent is about to answer that the commit has succeeded. From then on the objects stay. */
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
   * COPY has ended without error after `rows` rows: publishes the objects. Called again as long as it gives "pending".
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
    // The export is confirmed only here, where a caller waits for the answer. If the caller goes away before, the
    // objects are removed again.
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
   * Ends the export, and removes what it has published, as far as that is possible.
   *
   * @returns the export's own failure, if it had failed before: the caller's error is then only a consequence of it
   */
  async abort(reason: string): Promise<{ failure?: unknown }> {
    const outcome = this.#outcome;
    this.fail(new SluiceError('export_aborted', 'the export was aborted', { detail: reason }));
    await this.#source.close();
    clearInterval(this.#decisionTimer);
    // Cleaning up at S3 may take long, and the caller does not have to wait for it.
    await settlesInTime(this.#ended);
    return outcome.status === 'failed' ? { failure: outcome.error } : {};
  }

  /** Aborts a running export. Its caller gets `reason` from the COPY or the commit that then fails. */
  fail(reason: SluiceError): void {
    if (this.#confirmed.isOpen) return;
    if (this.#outcome.status !== 'running' || this.#abortion.signal.aborted) return;
    this.#log.info({ err: reason, bytes: this.#source.bytesRead }, 'export aborted');
    this.#source.abort(reason);
    this.#abortion.abort(reason);
  }

  /** True when the export has succeeded, failed or been aborted, and only has to be closed. */
  get isOver(): boolean {
    return this.#outcome.status !== 'running' || this.#abortion.signal.aborted;
  }

  /** Ends the session when its connection is closed, or about to be; a running export is aborted. */
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
    // The caller of an aborted export may be gone, so the log also says what is left of it.
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
