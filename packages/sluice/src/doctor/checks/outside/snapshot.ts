import { isSluiceError } from '../../../errors.ts';
import { connectTo, disconnect } from '../../../source/connect.ts';
import { SnapshotKeeper } from '../../../tables/snapshot-keeper.ts';
import { failedWith, messageOf, type Finding } from '../../walk.ts';
import type { Server } from './server.ts';

/** Checks that one session can hand its snapshot to another, by which all of an export read one state of the database. */
export async function checkSnapshot(
  { client }: Server,
  connectionString: string | undefined,
  { signal }: { signal: AbortSignal },
): Promise<Finding> {
  try {
    await using keeper = await SnapshotKeeper.open(client, { signal });
    const other = await connectTo({ connectionString, applicationName: 'sluice doctor', signal });
    try {
      await keeper.join(other, { signal });
      await other.query('ROLLBACK');
    } finally {
      await disconnect(other);
    }
  } catch (error) {
    signal.throwIfAborted();
    const finding = failedWith(error);
    return { ...finding, mend: remedyOf(error) ?? finding.mend };
  }
  return { status: 'ok', found: 'a session exported its snapshot, and another read it', value: true };
}

function remedyOf(error: unknown): string | undefined {
  // PgBouncer's words.
  if (/statement pooling/i.test(messageOf(error))) {
    return 'A pooler that gives each statement another session allows no transactions: connect to the database itself, or set pool_mode = transaction.';
  }
  // It is of a moment ago: the server that it is not known to is another.
  if (isSluiceError(error) && error.code === 'snapshot_lost') {
    return 'The two sessions are of different servers or databases: connect to one server itself, and not to what spreads sessions over several.';
  }
  return undefined;
}
