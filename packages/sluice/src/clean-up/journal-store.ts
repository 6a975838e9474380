import type { JournalEntry } from './journal-entry.ts';

/** An entry and its place in the journal. */
export interface JournalNote<T extends JournalEntry = JournalEntry> {
  readonly entry: T;
  /** Overwrites the entry with another. */
  replace<U extends JournalEntry>(entry: U): Promise<JournalNote<U>>;
  /** Deletes the entry: nothing is left to clean up. */
  remove(): Promise<void>;
}

/** Where it is noted what would have to be cleaned up at S3 if this process were killed now. */
export interface JournalStore {
  add<T extends JournalEntry>(entry: T): Promise<JournalNote<T>>;
}
