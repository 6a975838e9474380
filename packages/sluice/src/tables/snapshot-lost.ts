import { SluiceError } from '../errors.ts';
import { sqlStateOf } from './sql-state-of.ts';

/** What PostgreSQL raises when a session, or a transaction whatever it does, has to end. */
const ENDING_STATES = new Set([
  '57P01', // admin_shutdown: pg_terminate_backend, too
  '57P02', // crash_shutdown
  '57P04', // database_dropped
  '25P03', // idle_in_transaction_session_timeout
  '25P04', // transaction_timeout
  '40001', // serialization_failure: a conflict with recovery on a standby
]);

/** As PgBouncer says it. */
const POOLER_LIMIT = /^(?:idle transaction|query) timeout$/;

export function endsSession(error: unknown): boolean {
  return ENDING_STATES.has(sqlStateOf(error) ?? '');
}

/** The error of an export whose keeper's connection has failed, or was closed without an error. */
export function snapshotLost(error: unknown): SluiceError {
  return new SluiceError('snapshot_lost', 'the transaction that keeps the snapshot of the export has ended', {
    cause: error,
    detail:
      error instanceof Error ? `Its connection failed: ${error.message}.` : 'Its connection was closed.',
    hint: hintOf(error),
    retryable: true,
  });
}

function hintOf(error: unknown): string {
  // Both while it is idle (the session is ended) and in a query.
  if (sqlStateOf(error) === '40001') {
    return 'The standby had to go on: raise max_standby_streaming_delay and max_standby_archive_delay there, and set hot_standby_feedback = on.';
  }
  if (error instanceof Error && POOLER_LIMIT.test(error.message)) {
    return 'A pooler has ended it: let it have no idle_transaction_timeout and no query_timeout for exports, or connect to the database itself.';
  }
  return 'Nothing has been published; export again.';
}
