import type { Logger } from 'pino';
import type { PublishedKeys } from '../exporter/published-keys.ts';
import { CleanupQueue } from './cleanup-queue.ts';
import { ExportJournal } from './export-journal.ts';
import type { AskedEntry, PublishingEntry, UploadEntry } from './journal-entry.ts';
import { LeftObjects } from './left-objects.ts';
import { LeftUploads } from './left-uploads.ts';
import { OwnUploads } from './own-uploads.ts';
import type { S3Connections } from './s3-connections.ts';
import { UploadJournalDirectory, type JournalNote } from './upload-journal.ts';

export interface CleanUpOptions {
  stateDirectory: string;
  s3: Pick<S3Connections, 'use'>;
  keys: PublishedKeys;
  log: Logger;
}

/**
 * Cleans up in the background what exports have left at S3: those of this agent, and those of an agent that was killed.
 * What may have to be cleaned up is noted on disk (upload-journal.ts).
 */
export class CleanUp {
  readonly #directory: UploadJournalDirectory;
  readonly #queue: CleanupQueue;
  readonly #own = new OwnUploads();
  readonly #leftUploads: LeftUploads;
  readonly #leftObjects: LeftObjects;
  readonly #left: readonly JournalNote[];

  private constructor(
    { s3, keys, log }: CleanUpOptions,
    directory: UploadJournalDirectory,
    left: JournalNote[],
  ) {
    this.#directory = directory;
    this.#left = left;
    this.#queue = new CleanupQueue(log);
    this.#leftUploads = new LeftUploads({ queue: this.#queue, s3, own: this.#own, log });
    this.#leftObjects = new LeftObjects({ queue: this.#queue, s3, keys, log });
  }

  /** Must be called before the first export of this agent, so that everything in the journal is an earlier agent's. */
  static async open(options: CleanUpOptions): Promise<CleanUp> {
    const directory = await UploadJournalDirectory.open(options.stateDirectory);
    const unreadable = (path: string, error: unknown): void =>
      options.log.error(
        { path, err: error },
        'a note of what is to be cleaned up cannot be read: an upload or an object may be left',
      );
    return new CleanUp(options, directory, await directory.left(unreadable));
  }

  /** Begins to clean up after an earlier agent. For their callers its exports have failed: they lost the connection. */
  start(): void {
    for (const note of this.#left) {
      if (isPublishing(note)) this.#leftObjects.remove(this.#withItsUploads(note));
    }
    for (const note of this.#left) {
      if (isAsked(note)) this.#leftUploads.find(note);
      if (isUpload(note) && !this.#isPublished(note.entry.uploadId)) this.#leftUploads.abort(note);
    }
  }

  journalOf({ region, databaseRole }: { region: string; databaseRole: string }): ExportJournal {
    return new ExportJournal({
      directory: this.#directory,
      own: this.#own,
      leftUploads: this.#leftUploads,
      leftObjects: this.#leftObjects,
      region,
      databaseRole,
    });
  }

  stop(): Promise<void> {
    return this.#queue.stop();
  }

  /** True when this upload is of an object that was being published: that object's task aborts the upload as well. */
  #isPublished(uploadId: string): boolean {
    return this.#left.some(
      (note) => isPublishing(note) && note.entry.objects.some((object) => object.uploadId === uploadId),
    );
  }

  #withItsUploads(note: JournalNote<PublishingEntry>): JournalNote<PublishingEntry> {
    const ids = new Set(note.entry.objects.map(({ uploadId }) => uploadId));
    const uploads = this.#left.filter((other) => isUpload(other) && ids.has(other.entry.uploadId));
    const remove = async (): Promise<void> => {
      await Promise.all([note, ...uploads].map((each) => each.remove()));
    };
    return { ...note, remove };
  }
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
