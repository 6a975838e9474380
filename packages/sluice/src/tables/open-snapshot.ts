import type { Client } from 'pg';
import { sqlStateOf } from '../database-error.ts';
import { SluiceError } from '../errors.ts';
import { NO_TIME_LIMITS } from '../no-time-limits.ts';
import { beginSnapshot } from './begin-snapshot.ts';
import { haveChanged } from './changed-relations.ts';
import { findTables, type FoundTables } from './find-tables.ts';
import type { SharedSnapshot } from './join-snapshot.ts';
import { lockBeforeSnapshot, lockByPlanning, lockFailure, notLockedBefore } from './lock-relations.ts';
import { rollBack } from './roll-back.ts';

export interface Snapshot extends SharedSnapshot {
  /** When the server took it, by its own clock. */
  takenAt: Date;
  /**
   * What the write-ahead log had reached just after (on a standby: what it had replayed); undefined on servers that do
   * not say, such as some managed ones.
   */
  lsn: string | undefined;
  isStandby: boolean;
}

/** What an export is going to read. */
export interface SnapshotRequest {
  /** Patterns of table names, see findTables. @default none */
  tables?: readonly string[];
  /** Queries, each one statement. @default none */
  queries?: readonly string[];
}

export interface OpenedSnapshot extends FoundTables {
  snapshot: Snapshot;
}

/** A table that is changed again and again, just then, so many times is changed all the time. */
const MAX_ATTEMPTS = 5;

/** Between the look at the tables and the lock, one was dropped. */
const GONE_STATES = new Set([
  '42P01', // undefined_table
  '3F000', // invalid_schema_name
  '42809', // wrong_object_type: another kind of table has the name now
  '40P01', // deadlock_detected
  'XX000', // internal_error: could not open relation with OID
]);

/**
 * Begins a transaction whose snapshot has the rows of every table that is asked for.
 *
 * A table that is written anew (by TRUNCATE, ALTER TABLE) after the snapshot was taken and before the table is locked
 * reads as empty, or with rows that are not of the snapshot. So the tables are found first, in a transaction of their
 * own, then locked, and only the first query after that takes the snapshot. What LOCK TABLE does not take is locked
 * after it; then everything that is locked is held against the snapshot, and if a table has been changed in between, all
 * of it is done again.
 *
 * @throws SluiceError; errors of PostgreSQL. No transaction is left open then.
 */
export async function openSnapshot(
  client: Client,
  request: SnapshotRequest,
  { lockTimeoutMs, signal }: { lockTimeoutMs: number; signal?: AbortSignal | undefined },
): Promise<OpenedSnapshot> {
  let failure: Error = new SluiceError('table_locked', 'the tables of the export are changed all the time', {
    detail: `Each of ${MAX_ATTEMPTS} times, one was emptied, rewritten or replaced before it was locked.`,
    retryable: true,
  });
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt += 1) {
    signal?.throwIfAborted();
    try {
      const opened = await tryToOpen(client, request, lockTimeoutMs, signal);
      if (opened !== undefined) return opened;
    } catch (error) {
      await rollBack(client);
      if (!(error instanceof Error) || !GONE_STATES.has(sqlStateOf(error) ?? '')) {
        throw lockFailure(error, lockTimeoutMs);
      }
      failure = error;
    }
  }
  // A query that names what is not there fails each time.
  throw failure;
}

async function tryToOpen(
  client: Client,
  request: SnapshotRequest,
  lockTimeoutMs: number,
  signal: AbortSignal | undefined,
): Promise<OpenedSnapshot | undefined> {
  const { tables: patterns = [], queries = [] } = request;
  const { serverVersion, tables } = await lookAround(client, patterns, lockTimeoutMs);
  signal?.throwIfAborted();
  await beginSnapshot(client, { serverVersion, lockTimeoutMs });
  await lockBeforeSnapshot(client, tables);
  signal?.throwIfAborted();
  const { takenAt, isStandby } = await takeSnapshot(client);
  const lsn = await currentLsn(client, isStandby);
  const found = await findTables(client, patterns, { signal });
  await lockByPlanning(client, notLockedBefore(found.tables));
  for (const query of queries) await client.query(extended(`EXPLAIN ${query}`));
  signal?.throwIfAborted();
  if (await haveChanged(client, found.tables)) {
    await client.query('ROLLBACK');
    return undefined;
  }
  const { rows } = await client.query<{ id: string }>('SELECT pg_catalog.pg_export_snapshot() AS id');
  const id = rows[0]?.id ?? '';
  return { ...found, snapshot: { id, takenAt, lsn, serverVersion, isStandby } };
}

async function lookAround(client: Client, patterns: readonly string[], lockTimeoutMs: number) {
  // The sizes of a table that somebody has locked are waited for.
  await client.query(`BEGIN READ ONLY; ${NO_TIME_LIMITS}; SET LOCAL lock_timeout = ${lockTimeoutMs}`);
  const { tables } = await findTables(client, patterns);
  const { rows } = await client.query<{ version: number }>(
    `SELECT pg_catalog.current_setting('server_version_num')::pg_catalog.int4 AS version`,
  );
  await client.query('COMMIT');
  return { tables, serverVersion: rows[0]?.version ?? 0 };
}

async function takeSnapshot(client: Client): Promise<{ takenAt: Date; isStandby: boolean }> {
  const { rows } = await client.query<{ takenAt: Date; isStandby: boolean }>(
    `SELECT pg_catalog.clock_timestamp() AS "takenAt", pg_catalog.pg_is_in_recovery() AS "isStandby"`,
  );
  const [row] = rows;
  if (row === undefined) throw new SluiceError('internal', 'the server did not tell the time');
  return row;
}

async function currentLsn(client: Client, isStandby: boolean): Promise<string | undefined> {
  const lsn = isStandby ? 'pg_catalog.pg_last_wal_replay_lsn()' : 'pg_catalog.pg_current_wal_lsn()';
  await client.query('SAVEPOINT lsn');
  try {
    const { rows } = await client.query<{ lsn: string | null }>(`SELECT ${lsn} AS lsn`);
    await client.query('RELEASE SAVEPOINT lsn');
    return rows[0]?.lsn ?? undefined;
  } catch (error) {
    if (sqlStateOf(error) === undefined) throw error;
    // Services that are like PostgreSQL, and store in another way, refuse. A snapshot is given by no subtransaction.
    await client.query('ROLLBACK TO SAVEPOINT lsn; RELEASE SAVEPOINT lsn');
    return undefined;
  }
}

/** As one statement: the server refuses a second one behind it. */
export function extended(text: string): { text: string; queryMode: 'extended' } {
  return { text, queryMode: 'extended' };
}
