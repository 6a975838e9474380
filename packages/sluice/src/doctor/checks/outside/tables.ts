import { SnapshotKeeper } from '../../../tables/snapshot-keeper.ts';
import type { Table } from '../../../tables/table.ts';
import type { Finding } from '../../walk.ts';
import type { Server } from './server.ts';

/** Exports wait longer for a table that somebody has locked; a person waits for the doctor. */
const LOCK_TIMEOUT_MS = 5_000;
const SHOWN = 3;

/** Checks that the tables are there, and may be read and locked. */
export async function checkTables(
  { client }: Server,
  patterns: readonly string[],
  { signal }: { signal: AbortSignal },
): Promise<Finding> {
  if (patterns.length === 0) {
    return { status: 'skipped', found: 'no tables named: give --table, as to sluice export' };
  }
  await using keeper = await SnapshotKeeper.open(client, {
    tables: patterns,
    lockTimeoutMs: LOCK_TIMEOUT_MS,
    signal,
  });
  const { tables, leftOut } = keeper;
  const names = tables.slice(0, SHOWN).map(({ schema, name }) => `${schema}.${name}`);
  const shown =
    tables.length > SHOWN ? `${names.join(', ')} and ${tables.length - SHOWN} more` : names.join(', ');
  const found = `${shown} can be read (${megabytesOf(tables)} MB on disk)`;
  if (leftOut.length === 0) return { status: 'ok', found, value: true };
  const [first] = leftOut;
  return {
    status: 'ok',
    found: `${found}; only matched by wildcards and left out: the ${first?.kind} ${first?.schema}.${first?.name}${leftOut.length > 1 ? ` and ${leftOut.length - 1} more` : ''}`,
    value: true,
  };
}

function megabytesOf(tables: readonly Table[]): number {
  const bytes = tables
    .flatMap(({ relations }) => relations)
    .reduce((sum, { heapBytes, toastBytes }) => sum + (heapBytes ?? 0) + (toastBytes ?? 0), 0);
  return Math.ceil(bytes / 1_000_000);
}
