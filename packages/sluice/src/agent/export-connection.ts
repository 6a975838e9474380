import { SluiceError } from '../errors.ts';
import { settlesInTime } from './answer-within.ts';
import type { ExportSession } from './export-session.ts';
import type { ReadRequest } from './parser/parse-job.ts';
import type { AgentRequest, BeginRequest } from './request.ts';
import type { RequestHandler } from './rpc-connection.ts';
import { toSqlError } from './sql-state.ts';

export interface BegunExport {
  session: ExportSession;
  /** The answer to the extension's begin. */
  answer: object;
}

export interface ExportConnectionOptions {
  /** Begins an export. The signal is aborted when its caller has gone. */
  begin: (request: BeginRequest, options: { signal: AbortSignal }) => Promise<BegunExport>;
  /** Answers requests that belong to no export. */
  answer: (request: Extract<AgentRequest, { op: 'statement' | 'ping' }>) => Promise<object>;
  /** Reads requests that are too long to decode in this thread. */
  readLong: (text: Uint8Array) => Promise<ReadRequest>;
  ended: (session: ExportSession) => void;
}

interface PendingBegin {
  request: string;
  begun: Promise<BegunExport>;
  abortion: AbortController;
}

/**
 * One connection of PostgreSQL, and the export that was begun on it, if any. A begin may take long, since the role is
 * assumed first. So it is answered with "pending", and the extension repeats it, until the export has begun or failed.
 */
export class ExportConnection implements RequestHandler {
  readonly #options: ExportConnectionOptions;
  #pending: PendingBegin | undefined;
  #session: ExportSession | undefined;

  constructor(options: ExportConnectionOptions) {
    this.#options = options;
  }

  get hasExport(): boolean {
    return this.#session !== undefined || this.#pending !== undefined;
  }

  async handle(request: AgentRequest): Promise<object> {
    switch (request.op) {
      case 'begin':
        return this.#begin(request);
      case 'commit':
        if (this.#session === undefined) {
          throw new SluiceError('protocol_violation', 'no export was begun on this connection');
        }
        return this.#session.commit(request.token, BigInt(request.rows));
      case 'abort':
        return this.#abort();
      case 'statement':
      case 'ping':
        return this.#options.answer(request);
      default:
        return request satisfies never;
    }
  }

  readLong(text: Uint8Array): Promise<ReadRequest> {
    return this.#options.readLong(text);
  }

  lost(): void {
    this.#session?.fail(
      new SluiceError('export_aborted', 'the export was aborted', { detail: 'the connection was closed' }),
    );
  }

  async close(): Promise<void> {
    await this.#giveUpBegin();
    if (this.#session === undefined) return;
    await this.#session.close();
    this.#options.ended(this.#session);
  }

  async #begin(request: BeginRequest): Promise<object> {
    if (this.#session !== undefined) {
      throw new SluiceError('protocol_violation', 'this connection has an export already');
    }
    const pending = (this.#pending ??= this.#startBegin(request));
    if (pending.request !== JSON.stringify(request)) {
      throw new SluiceError('protocol_violation', 'another export is being begun on this connection');
    }
    if (!(await settlesInTime(pending.begun))) return { state: 'pending' };
    this.#pending = undefined;
    const { session, answer } = await pending.begun;
    this.#session = session;
    return answer;
  }

  #startBegin(request: BeginRequest): PendingBegin {
    const abortion = new AbortController();
    const begun = this.#options.begin(request, { signal: abortion.signal });
    // A failure reaches the next request for this begin. If no request comes, nothing else handles the rejection.
    begun.catch(() => undefined);
    return { request: JSON.stringify(request), begun, abortion };
  }

  async #abort(): Promise<object> {
    await this.#giveUpBegin();
    const failure = (await this.#session?.abort('the export failed in PostgreSQL'))?.failure;
    return { state: 'aborted', ...(failure === undefined ? {} : { error: toSqlError(failure) }) };
  }

  /**
   * Aborts a pending begin. If its session has started all the same, the session is aborted too, and belongs to this
   * connection, which closes it.
   */
  async #giveUpBegin(): Promise<void> {
    const pending = this.#pending;
    if (pending === undefined) return;
    this.#pending = undefined;
    pending.abortion.abort(new SluiceError('export_aborted', 'the export was aborted before it had begun'));
    try {
      this.#session = (await pending.begun).session;
      await this.#session.abort('the export was given up before it had begun');
    } catch (error) {
      if (this.#session !== undefined) throw error;
    }
  }
}
