import { escapeLiteral, type Client, type Submittable } from 'pg';
import { canonicalEncoding } from '../copy-options/encoding.ts';
import { isDatabaseError } from '../database-error.ts';
import { SluiceError } from '../errors.ts';
import type { RowScanner } from '../exporter/row-scanner.ts';
import { cancelQuery } from './cancel-query.ts';
import { CopyFrames } from './copy-frames.ts';
import { FrameRows } from './frame-rows.ts';
import { FULL_BYTES, PayloadBuffer } from './payload-buffer.ts';
import { lostConnection } from './lost-connection.ts';
import { SourceClient } from './source-client.ts';
import { SocketLease } from './socket-lease.ts';

/** PostgreSQL sends 8 kB at a time: what is there is given out when it is worth the while, or after a moment. */
const WORTHWHILE_BYTES = FULL_BYTES / 2;
const MOMENT_MS = 10;
/** How long a server has to end a COPY that was cancelled, or a session that it has refused to go on with. */
const END_TIMEOUT_MS = 5_000;

export interface CopyOutOptions {
  /** The text or CSV begins with a header line, which is no row. @default false */
  hasHeaderLine?: boolean | undefined;
  /** Ends the COPY; its reason is thrown. */
  signal?: AbortSignal | undefined;
}

/**
 * Runs one COPY ... TO STDOUT on a client of pg and gives what it writes, as fast as the socket does: the connection is
 * read here, not by pg, until the server is ready for the next query. Whatever happens, the client can be used
 * again then, or its connection is closed. Nothing is sent before the first chunk is asked for. A SourceClient has COPY
 * write its `copyEncoding`.
 *
 * The iteration ends well only when the server has said that the COPY was done and its command complete, so the rows of
 * a query that fails, is cancelled or loses its connection are never taken for a result.
 *
 * @throws pg's DatabaseError, as the server sent it
 * @throws SluiceError `database_unavailable`: the connection was lost; `protocol_violation`; `invalid_argument`: that is
 * no COPY TO STDOUT
 * @throws the signal's reason
 */
export function copyOut(client: Client, sql: string, options: CopyOutOptions = {}): CopyOut {
  return new CopyOut(client, sql, options);
}

/** To be iterated once; a chunk is valid until the next one is asked for. */
export class CopyOut implements AsyncIterable<Uint8Array> {
  readonly #client: Client;
  readonly #sql: string;
  readonly #signal: AbortSignal | undefined;
  readonly #frames: CopyFrames;
  readonly #rows = new FrameRows();
  readonly #lease: SocketLease;
  /** Is being filled; the other one was given out. */
  #filling = new PayloadBuffer();
  #given = new PayloadBuffer();
  #state: 'new' | 'asked' | 'running' | 'over' = 'new';
  #failure: { error: unknown } | undefined;
  #commandTag: string | undefined;
  /** Set once it must end early: settles when no cancel is on its way to the server any more. */
  #cancelled: Promise<void> | undefined;
  #endTimer: NodeJS.Timeout | undefined;
  #wake: () => void = () => undefined;
  #wakeAtBytes = WORTHWHILE_BYTES;
  readonly #over: Promise<void>;
  #setOver: () => void = () => undefined;
  readonly #abort = (): void => this.#fail(this.#signal?.reason);

  constructor(client: Client, sql: string, { hasHeaderLine = false, signal }: CopyOutOptions) {
    this.#client = client;
    this.#sql = withEncoding(client, sql);
    this.#signal = signal;
    this.#over = new Promise((resolve) => {
      this.#setOver = resolve;
    });
    this.#lease = new SocketLease(client, {
      read: (chunk) => this.#read(chunk),
      closed: (cause) => this.#onClosed(cause),
    });
    this.#frames = new CopyFrames(
      {
        pass: (bytes) => this.#lease.pass(bytes),
        ready: (bytes, answer) => this.#onReady(bytes, answer),
        unexpected: (kind, { isCopyIn }) => this.#onUnexpected(kind, isCopyIn),
      },
      { hasHeaderLine, isSetAround: this.#sql !== sql },
    );
  }

  /** Knows where rows start in the chunks, which it must be given in their order. */
  get rows(): RowScanner {
    return this.#rows;
  }

  /** Such as `COPY 5`; undefined until the iteration has ended well. */
  get commandTag(): string | undefined {
    return this.#state === 'over' && this.#failure === undefined ? this.#commandTag : undefined;
  }

  /** How many rows have been received so far. */
  get rowsSoFar(): number {
    return this.#frames.rows;
  }

  /** How many rows there were; undefined until the iteration has ended well. */
  get rowCount(): bigint | undefined {
    const tag = this.commandTag;
    return tag === undefined ? undefined : rowCountOf(tag);
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined> {
    return {
      next: async () => {
        const chunk = await this.#next();
        return chunk === undefined ? { done: true, value: undefined } : { done: false, value: chunk };
      },
      return: async () => {
        await this.end();
        return { done: true, value: undefined };
      },
    };
  }

  /**
   * Ends the COPY if it goes on, and waits until its connection is free again or closed: the server is asked to cancel
   * it, and when that does not help within seconds the connection is closed. Never rejects.
   */
  async end(): Promise<void> {
    if (this.#state !== 'over') {
      this.#fail(new SluiceError('export_aborted', 'the COPY was ended before its last row'));
      await this.#over;
    }
  }

  async #next(): Promise<Uint8Array | undefined> {
    if (this.#state === 'new') this.#start();
    // Asking for more gives the last chunk back.
    if (this.#filling.lengthBytes < WORTHWHILE_BYTES) {
      this.#lease.resume();
      await this.#worthwhile();
    }
    if (this.#failure !== undefined) {
      await this.#over;
      throw this.#failure.error;
    }
    if (this.#filling.lengthBytes === 0) return undefined;
    const chunk = this.#filling;
    this.#filling = this.#given;
    this.#filling.clear();
    this.#given = chunk;
    this.#rows.lookaheadBytes = this.#frames.lookaheadBytes;
    this.#rows.begin(chunk);
    this.#lease.resume();
    return chunk.bytes.subarray(0, chunk.lengthBytes);
  }

  /** Waits until there are bytes enough, or all there will be, or it has failed; or, after a moment, for any. */
  async #worthwhile(): Promise<void> {
    if (this.#failure !== undefined || this.#state === 'over') return;
    this.#wakeAtBytes = WORTHWHILE_BYTES;
    const timer = setTimeout(() => {
      this.#wakeAtBytes = 1;
      if (this.#filling.lengthBytes > 0) this.#wake();
    }, MOMENT_MS);
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    clearTimeout(timer);
  }

  #start(): void {
    this.#state = 'asked';
    if (this.#signal?.aborted === true) {
      this.#fail(this.#signal.reason);
      return;
    }
    this.#signal?.addEventListener('abort', this.#abort);
    this.#lease.begin();
    const query: Query = {
      submit: (connection) => {
        if (this.#state !== 'asked') return new Error('the COPY was ended before it began');
        this.#state = 'running';
        this.#lease.takeOver();
        connection.query(this.#sql);
        return undefined;
      },
      handleError: (error) => this.#onError(error),
      handleCommandComplete: ({ text }) => {
        if (text.startsWith('COPY')) this.#commandTag = text;
      },
      handleReadyForQuery: () => undefined,
    };
    this.#client.query(query);
  }

  /** @returns whether more may be read now */
  #read(chunk: Buffer): boolean {
    try {
      this.#frames.take(chunk, this.#filling);
    } catch (error) {
      this.#fail(error);
      this.#lease.destroy();
      return false;
    }
    if (this.#failure !== undefined) this.#filling.clear();
    const { lengthBytes } = this.#filling;
    if (lengthBytes >= this.#wakeAtBytes) this.#wake();
    return lengthBytes < FULL_BYTES;
  }

  /** The driver tells of an error: the server's, or its own when the connection is of no use. */
  #onError(error: Error): void {
    if (isDatabaseError(error)) {
      this.#failWith(error);
      // What follows is that the server is ready, or that it closes the connection.
      this.#endTimer ??= setTimeout(() => this.#lease.destroy(), END_TIMEOUT_MS);
    } else if (this.#state === 'running') {
      this.#fail(lostConnection(error));
    } else {
      this.#failWith(lostConnection(error));
      this.#finish();
    }
  }

  #onUnexpected(kind: string, isCopyIn: boolean): void {
    if (isCopyIn) this.#lease.refuseCopyIn('rows are taken from the server only');
    this.#fail(
      new SluiceError('invalid_argument', 'the statement is not one COPY ... TO STDOUT', {
        detail: `PostgreSQL answered it with a message of kind "${kind}".`,
        hint: 'Give one COPY (query) TO STDOUT, and nothing else.',
      }),
    );
  }

  #onReady(bytes: Buffer, { isComplete }: { isComplete: boolean }): void {
    if (isComplete && this.#failure === undefined) this.#checkRowCount();
    if (!isComplete) this.#failWith(new SluiceError('protocol_violation', 'PostgreSQL did not end the COPY'));
    clearTimeout(this.#endTimer);
    const giveBack = (): void => {
      if (this.#state === 'over') return;
      this.#lease.giveBack(bytes);
      this.#finish();
    };
    // A cancel that is still on its way would hit the next query of this client.
    if (this.#cancelled === undefined) giveBack();
    else void this.#cancelled.then(giveBack);
  }

  /** Files are cut where a frame ends: a server that has rows begin elsewhere is none to cut them. */
  #checkRowCount(): void {
    const counted = BigInt(this.#frames.rows);
    if (rowCountOf(this.#commandTag) === counted) return;
    this.#failWith(
      new SluiceError('protocol_violation', 'PostgreSQL sent another number of rows than it said', {
        detail: `It sent ${counted} and said "${this.#commandTag ?? ''}".`,
        hint: 'Is it PostgreSQL, or a proxy before it, that was connected to?',
      }),
    );
  }

  #onClosed(cause: Error | undefined): void {
    const told = this.#failure?.error;
    // The server has said why it ends the session.
    if (isDatabaseError(told)) this.#failure = { error: lostConnection(told) };
    this.#failWith(lostConnection(cause));
    this.#finish();
  }

  /** The first failure counts. */
  #failWith(error: unknown): void {
    this.#failure ??= { error };
    this.#filling.clear();
    this.#wake();
  }

  /** Fails, and has the server stop. */
  #fail(error: unknown): void {
    if (this.#state === 'over') return;
    this.#failWith(error);
    if (this.#state !== 'running') {
      this.#finish();
      return;
    }
    if (this.#cancelled !== undefined) return;
    this.#lease.resume();
    this.#cancelled = cancelQuery(this.#client, { timeoutMs: END_TIMEOUT_MS });
    this.#endTimer ??= setTimeout(() => this.#lease.destroy(), END_TIMEOUT_MS);
  }

  #finish(): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    clearTimeout(this.#endTimer);
    this.#signal?.removeEventListener('abort', this.#abort);
    this.#lease.end();
    this.#wake();
    this.#setOver();
  }
}

/** What pg calls of a query, as far as it is called here. */
interface Query extends Submittable {
  submit: (connection: { query(sql: string): void }) => Error | undefined;
  handleError(error: Error): void;
  handleCommandComplete(message: { text: string }): void;
  handleReadyForQuery(): void;
}

/**
 * The query's text is in the session's encoding, and COPY writes another: so it is changed for the COPY alone, in one
 * message, which is read as a whole before. An option of COPY would not do: the binary format has texts in the session's.
 */
function withEncoding(client: Client, sql: string): string {
  if (!(client instanceof SourceClient)) return sql;
  const { copyEncoding, sessionEncoding } = client;
  if (canonicalEncoding(copyEncoding) === canonicalEncoding(sessionEncoding)) return sql;
  const set = (encoding: string): string => `SET LOCAL client_encoding = ${escapeLiteral(encoding)}`;
  return `${set(copyEncoding)}; ${sql}; ${set(sessionEncoding)}`;
}

function rowCountOf(commandTag = ''): bigint | undefined {
  const digits = /^COPY (\d+)$/.exec(commandTag)?.[1];
  return digits === undefined ? undefined : BigInt(digits);
}
