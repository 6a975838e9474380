import type { Client } from 'pg';
import { endsTransaction } from '../database-error.ts';
import { SluiceError } from '../errors.ts';
import { DEFAULT_LOCK_TIMEOUT_MS } from './begin-snapshot.ts';
import { renamedTables } from './changed-relations.ts';
import { joinSnapshot, type JoinOptions } from './join-snapshot.ts';
import type { LeftOut } from './match-tables.ts';
import { snapshotLost } from './snapshot-lost.ts';
import { openSnapshot, type OpenedSnapshot, type Snapshot, type SnapshotRequest } from './open-snapshot.ts';
import { rollBack } from './roll-back.ts';
import type { Table } from './table.ts';

/** Often enough for what stands between and closes connections that are idle: load balancers, poolers, firewalls. */
const HEARTBEAT_MS = 30_000;
/** For the answer to one. */
const HEARTBEAT_TIMEOUT_MS = 60_000;

/** A lock on each of so many tables, and their indexes, is little beside what a server has room for. */
const MAX_LOCKED_BY_EACH = 100;

export interface KeeperOptions extends SnapshotRequest {
  /** For how long it waits for a table that another session has locked. @default 60,000 */
  lockTimeoutMs?: number | undefined;
  /** How often an idle connection is used. @default 30,000 */
  heartbeatMs?: number | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * The transaction whose snapshot all connections of an export read, and that keeps their tables from being changed. It
 * lasts until `end`, whatever limits the server has for transactions; the connection stays the caller's.
 *
 * @example
 * ```ts
 * await using keeper = await SnapshotKeeper.open(client, { tables: ['public.orders'] });
 * await keeper.join(another);
 * await Promise.race([work(another), keeper.lost]);
 * await keeper.confirm();
 * ```
 */
export class SnapshotKeeper implements AsyncDisposable {
  readonly snapshot: Snapshot;
  readonly tables: readonly Table[];
  readonly leftOut: readonly LeftOut[];
  /** Rejects with a SluiceError snapshot_lost when the transaction has ended otherwise than by `end`. */
  readonly lost: Promise<never>;
  readonly #client: Client;
  readonly #lose: (reason: unknown) => void;
  readonly #timer: NodeJS.Timeout;
  #isInUse = false;
  #hasEnded = false;
  #loss: SluiceError | undefined;

  private constructor(client: Client, { snapshot, tables, leftOut }: OpenedSnapshot, heartbeatMs: number) {
    this.#client = client;
    this.snapshot = Object.freeze(snapshot);
    this.tables = tables;
    this.leftOut = leftOut;
    const { promise, reject } = withReject();
    this.lost = promise;
    this.#lose = reject;
    // Nobody may be listening yet, or any more.
    this.lost.catch(() => undefined);
    client.on('error', this.#onError);
    client.on('end', this.#onEnd);
    this.#timer = setInterval(() => void this.#beat(), heartbeatMs).unref();
  }

  /**
   * @param client connected, with a listener for its errors, in no transaction, and used by nobody else until `end`
   * @throws SluiceError table_not_found, table_unreadable, table_locked, invalid_argument; errors of PostgreSQL
   */
  static async open(client: Client, options: KeeperOptions): Promise<SnapshotKeeper> {
    const { lockTimeoutMs = DEFAULT_LOCK_TIMEOUT_MS, heartbeatMs = HEARTBEAT_MS, signal } = options;
    const opened = await openSnapshot(client, options, { lockTimeoutMs, signal });
    return new SnapshotKeeper(client, opened, heartbeatMs);
  }

  /**
   * Makes another connection see what this one sees, see joinSnapshot.
   *
   * @param options.tables @default all tables of the export, unless they are so many that the server's room for locks,
   *   which all sessions share, could be too small: then none
   */
  async join(client: Client, options: Partial<JoinOptions> = {}): Promise<void> {
    this.#expectKept();
    const relationCount = this.tables.reduce((sum, { relations }) => sum + relations.length, 0);
    const tables = relationCount <= MAX_LOCKED_BY_EACH ? this.tables : [];
    await joinSnapshot(client, this.snapshot, { tables, ...options });
  }

  /** Asks something on the snapshot. One at a time. */
  async use<T>(work: (client: Client) => Promise<T>): Promise<T> {
    this.#expectKept();
    this.#isInUse = true;
    try {
      return await work(this.#client);
    } catch (error) {
      if (endsTransaction(error)) this.#onError(error);
      throw this.#loss ?? error;
    } finally {
      this.#isInUse = false;
    }
  }

  /**
   * To be called when everything was read, before it is published: the snapshot was kept to the end, and the names that
   * were read by still mean the tables of the snapshot. (What the names in a query mean is not looked at.)
   *
   * @throws SluiceError snapshot_lost
   */
  async confirm(): Promise<void> {
    const renamed = await this.use((client) => renamedTables(client, this.tables));
    if (renamed.length === 0) return;
    throw new SluiceError(
      'snapshot_lost',
      `${renamed[0]} is not the table any more that the export began with`,
      {
        detail: 'Its schema was renamed, or another one took its name, while the tables were read.',
        hint: 'Export again.',
        retryable: true,
      },
    );
  }

  /** Ends the transaction. Safe to call twice, and when the connection is lost. */
  async end(): Promise<void> {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    clearInterval(this.#timer);
    this.#client.off('error', this.#onError);
    this.#client.off('end', this.#onEnd);
    if (this.#loss === undefined) await rollBack(this.#client);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.end();
  }

  #expectKept(): void {
    if (this.#loss !== undefined) throw this.#loss;
    if (this.#hasEnded)
      throw new SluiceError('snapshot_lost', 'the snapshot of the export has been given up');
  }

  async #beat(): Promise<void> {
    if (this.#isInUse || this.#loss !== undefined) return;
    this.#isInUse = true;
    const timer = setTimeout(() => {
      this.#onError(new Error(`the server has not answered for ${HEARTBEAT_TIMEOUT_MS / 1000} s`));
    }, HEARTBEAT_TIMEOUT_MS).unref();
    try {
      await this.#client.query('SELECT');
    } catch (error) {
      this.#onError(error);
    } finally {
      clearTimeout(timer);
      this.#isInUse = false;
    }
  }

  readonly #onEnd = (): void => this.#onError(undefined);

  /** The first reason is the one that is told: what follows is only that the connection has ended. */
  readonly #onError = (error: unknown): void => {
    if (this.#hasEnded || this.#loss !== undefined) return;
    clearInterval(this.#timer);
    this.#loss = snapshotLost(error);
    this.#lose(this.#loss);
  };
}

function withReject(): { promise: Promise<never>; reject: (reason: unknown) => void } {
  let reject: (reason: unknown) => void = () => undefined;
  const promise = new Promise<never>((_, rejectPromise) => {
    reject = rejectPromise;
  });
  return { promise, reject };
}
