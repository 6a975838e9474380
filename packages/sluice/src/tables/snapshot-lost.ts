import { isRecoveryConflict } from '../database-error.ts';
import { SluiceError } from '../errors.ts';

/** The error of an export whose keeper's connection has failed, or was closed without an error. */
export function snapshotLost(error: unknown): SluiceError {
  const isConflict = isRecoveryConflict(error);
  return new SluiceError('snapshot_lost', 'the transaction that keeps the snapshot of the export has ended', {
    cause: error,
    detail:
      error instanceof Error ? `Its connection failed: ${error.message}.` : 'Its connection was closed.',
    hint: isConflict
      ? 'The standby had to go on: raise max_standby_streaming_delay and max_standby_archive_delay there, and set hot_standby_feedback = on.'
      : 'Nothing has been published; export again.',
    retryable: true,
  });
}
