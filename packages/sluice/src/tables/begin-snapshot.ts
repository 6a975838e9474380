import { type Client, escapeLiteral } from 'pg';

/** For how long a connection waits for a table that another session has locked. */
export const DEFAULT_LOCK_TIMEOUT_MS = 60_000;

/** Since 17 there is a limit for a whole transaction, too. */
const TRANSACTION_TIMEOUT_VERSION = 170_000;

export interface BeginOptions {
  /** As server_version_num, e.g. 170004. */
  serverVersion: number;
  lockTimeoutMs: number;
  /** Of another transaction's snapshot. @default one of its own, with the first query */
  snapshotId?: string | undefined;
}

/**
 * Begins a transaction that sees one state of the database for as long as it lasts. All is set for the transaction
 * alone: behind a pooler, the session is somebody else's afterwards. The server's limits for transactions would end a
 * long export in the middle. (idle_session_timeout does not count in a transaction.)
 */
export async function beginSnapshot(client: Client, options: BeginOptions): Promise<void> {
  const { serverVersion, lockTimeoutMs, snapshotId } = options;
  await client.query(
    [
      'BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY',
      ...(snapshotId === undefined ? [] : [`SET TRANSACTION SNAPSHOT ${escapeLiteral(snapshotId)}`]),
      'SET LOCAL statement_timeout = 0',
      'SET LOCAL idle_in_transaction_session_timeout = 0',
      ...(serverVersion < TRANSACTION_TIMEOUT_VERSION ? [] : ['SET LOCAL transaction_timeout = 0']),
      `SET LOCAL lock_timeout = ${lockTimeoutMs}`,
      // Rows in the order in which they are stored, and not from where another scan happens to be.
      'SET LOCAL synchronize_seqscans = off',
    ].join(';\n'),
  );
}
