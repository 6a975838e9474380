import type { Client } from 'pg';
import { sqlStateOf } from '../database-error.ts';
import { SluiceError } from '../errors.ts';
import { fromRelation, sqlName, type Table } from './table.ts';

/** So many statements in one message to the server. */
const STATEMENTS_AT_ONCE = 100;

/**
 * Locks tables before the transaction has its snapshot, which LOCK TABLE does not take. Those under a view, and the
 * partitions of a partitioned table, are locked with it.
 */
export async function lockBeforeSnapshot(client: Client, tables: readonly Table[]): Promise<void> {
  const lockable = tables.filter(({ isLockable }) => isLockable);
  if (lockable.length === 0) return;
  const names = lockable.map((table) =>
    table.kind === 'partitioned table' ? sqlName(table) : `ONLY ${sqlName(table)}`,
  );
  await client.query(`LOCK TABLE ${names.join(', ')} IN ACCESS SHARE MODE`);
}

/** Those that LOCK TABLE does not lock, and views, whose owner's rights on what is under them show with a query only. */
export function notLockedBefore(tables: readonly Table[]): Table[] {
  return tables.filter(({ isLockable, kind }) => !isLockable || kind === 'view');
}

/**
 * Locks all that reading the tables locks, indexes too, which leaves no wait for when they are read: behind a session
 * that waits for the table itself, a wait would last as long as the export. Planning a query does this, and looks at
 * the rights.
 */
export async function lockByPlanning(client: Client, tables: readonly Table[]): Promise<void> {
  const statements = tables.flatMap(({ relations }) =>
    relations.map((relation) => `EXPLAIN SELECT FROM ${fromRelation(relation)}`),
  );
  for (let i = 0; i < statements.length; i += STATEMENTS_AT_ONCE) {
    await client.query(statements.slice(i, i + STATEMENTS_AT_ONCE).join(';\n'));
  }
}

/** The error of a lock that could not be had, in the words of an export; others as they are. */
export function lockFailure(error: unknown, lockTimeoutMs: number): unknown {
  switch (sqlStateOf(error)) {
    case '55P03': // lock_not_available
      return new SluiceError(
        'table_locked',
        `a table of the export was not to be locked within ${lockTimeoutMs / 1000} s`,
        {
          cause: error,
          detail: 'Another session changes, empties or rewrites it, or waits to.',
          hint: 'Export again when it is done; pg_locks, where mode is AccessExclusiveLock, tells which one it is.',
          retryable: true,
        },
      );
    case '53200': // out_of_memory
      return new SluiceError('table_locked', 'the server has no room to lock all tables of the export', {
        cause: error,
        hint: 'Raise max_locks_per_transaction on the server, or export fewer tables at once.',
      });
    default:
      return error;
  }
}
