import type { Logger } from 'pino';
import type { JournalNote, JournalStore } from '../clean-up/journal-store.ts';
import { UploadJournalDirectory } from './upload-journal.ts';

/**
 * The journal in the agent's state directory, and what an earlier agent left in it. Must be called before the first
 * export of this agent, so that everything in the journal is an earlier agent's.
 */
export async function openJournal(
  stateDirectory: string,
  log: Logger,
): Promise<{ store: JournalStore; left: JournalNote[] }> {
  const store = await UploadJournalDirectory.open(stateDirectory);
  const left = await store.left((path, error) =>
    log.error(
      { path, err: error },
      'a note of what is to be cleaned up cannot be read: an upload or an object may be left',
    ),
  );
  return { store, left };
}
