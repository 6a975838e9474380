import type { Logger } from 'pino';
import type { PublishedKeys } from '../exporter/published-keys.ts';
import { CleanupQueue } from './cleanup-queue.ts';
import { ExportJournal } from './export-journal.ts';
import type { AskedEntry, PublishingEntry, UploadEntry } from './journal-entry.ts';
import { LeftObjects } from './left-objects.ts';
import { LeftUploads } from './left-uploads.ts';
import { OwnUploads } from './own-uploads.ts';
import type { JournalNote, JournalStore } from './journal-store.ts';
import type { S3Access } from './s3-access.ts';

export interface CleanUpOptions {
  store: JournalStore;
  s3: S3Access;
  keys: PublishedKeys;
  log: Logger;
}

/**
 * Cleans up in the background what exports have left at S3: those of this process, and those of one that was killed.
 * What may have to be cleaned up is noted in the store.
 */
export class CleanUp {
  readonly #store: JournalStore;
  readonly #queue: CleanupQueue;
  readonly #own = new OwnUploads();
  readonly #leftUploads: LeftUploads;
  readonly #leftObjects: LeftObjects;

  constructor({ store, s3, keys, log }: CleanUpOptions) {
    this.#store = store;
    this.#queue = new CleanupQueue(log);
    this.#leftUploads = new LeftUploads({ queue: this.#queue, s3, own: this.#own, log });
    this.#leftObjects = new LeftObjects({ queue: this.#queue, s3, keys, log });
  }

  /** Begins to clean up after exports that have failed, for their callers too: those of a process that is gone. */
  takeOver(notes: readonly JournalNote[]): void {
    const published = new Set(
      notes.filter(isPublishing).flatMap(({ entry }) => entry.objects.map(({ uploadId }) => uploadId)),
    );
    for (const note of notes) {
      if (isPublishing(note)) this.#leftObjects.remove(withItsUploads(note, notes));
      if (isAsked(note)) this.#leftUploads.find(note);
      // The task of an object that was being published aborts its upload as well.
      if (isUpload(note) && !published.has(note.entry.uploadId)) this.#leftUploads.abort(note);
    }
  }

  journalOf({ region, databaseRole }: { region: string; databaseRole?: string | undefined }): ExportJournal {
    return new ExportJournal({
      store: this.#store,
      own: this.#own,
      leftUploads: this.#leftUploads,
      leftObjects: this.#leftObjects,
      region,
      databaseRole,
    });
  }

  /** What is not done stays in the store. */
  stop(): Promise<void> {
    return this.#queue.stop();
  }
}

/** Of one process: an upload belongs to at most one object that was being published. */
function withItsUploads(
  note: JournalNote<PublishingEntry>,
  notes: readonly JournalNote[],
): JournalNote<PublishingEntry> {
  const ids = new Set(note.entry.objects.map(({ uploadId }) => uploadId));
  const uploads = notes.filter((other) => isUpload(other) && ids.has(other.entry.uploadId));
  const remove = async (): Promise<void> => {
    await Promise.all([note, ...uploads].map((each) => each.remove()));
  };
  return { ...note, remove };
}

function isPublishing(note: JournalNote): note is JournalNote<PublishingEntry> {
  return note.entry.kind === 'publishing';
}

function isUpload(note: JournalNote): note is JournalNote<UploadEntry> {
  return note.entry.kind !== 'publishing' && note.entry.uploadId !== undefined;
}

function isAsked(note: JournalNote): note is JournalNote<AskedEntry> {
  return note.entry.kind !== 'publishing' && note.entry.uploadId === undefined;
}
