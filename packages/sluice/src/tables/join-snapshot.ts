import type { Client } from 'pg';
import { sqlStateOf } from '../database-error.ts';
import { SluiceError } from '../errors.ts';
import { beginSnapshot, DEFAULT_LOCK_TIMEOUT_MS } from './begin-snapshot.ts';
import { lockByPlanning, lockFailure } from './lock-relations.ts';
import { rollBack } from './roll-back.ts';
import type { Table } from './table.ts';

/** What another connection, of whatever process, needs in order to see the same. */
export interface SharedSnapshot {
  /** Of pg_export_snapshot(): good for as long as the transaction that gave it lasts. */
  id: string;
  /** As server_version_num, e.g. 170004. */
  serverVersion: number;
}

export interface JoinOptions {
  /**
   * The tables that the connection will read, which it locks at once. Any other is locked when it is first read, and
   * waited for in vain, up to the limit, when another session waits to change it: that one waits for the whole export.
   */
  tables: readonly Table[];
  /** @default 60,000 */
  lockTimeoutMs?: number | undefined;
  signal?: AbortSignal | undefined;
}

/**
 * Begins a transaction on a connection of its own that sees what another one sees. It ends with the caller's ROLLBACK,
 * which should come as soon as there is nothing left to read: another session may wait for its locks.
 *
 * @throws SluiceError snapshot_lost, table_locked; errors of PostgreSQL. The transaction is rolled back.
 */
export async function joinSnapshot(
  client: Client,
  snapshot: SharedSnapshot,
  options: JoinOptions,
): Promise<void> {
  const { tables, lockTimeoutMs = DEFAULT_LOCK_TIMEOUT_MS, signal } = options;
  signal?.throwIfAborted();
  try {
    await beginSnapshot(client, {
      serverVersion: snapshot.serverVersion,
      lockTimeoutMs,
      snapshotId: snapshot.id,
    });
    signal?.throwIfAborted();
    await lockByPlanning(client, tables);
    signal?.throwIfAborted();
  } catch (error) {
    await rollBack(client);
    throw joinFailure(lockFailure(error, lockTimeoutMs));
  }
}

const LOST_STATES = new Set([
  '22023', // invalid_parameter_value: no such snapshot, up to 16
  '42704', // undefined_object: the same, later
  '55000', // object_not_in_prerequisite_state: the process that gave it has ended
  '0A000', // feature_not_supported: it is of another database
]);

function joinFailure(error: unknown): unknown {
  if (!LOST_STATES.has(sqlStateOf(error) ?? '')) return error;
  return new SluiceError('snapshot_lost', 'could not take over the snapshot of the export', {
    cause: error,
    detail: error instanceof Error ? `PostgreSQL says: ${error.message}.` : undefined,
    hint: 'Has the transaction that holds it ended? Do all connections reach the same server, and not a replica each?',
  });
}
