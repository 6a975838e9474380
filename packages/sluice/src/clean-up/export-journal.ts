import type { UploadJournal } from '../exporter/upload-journal.ts';
import type { OpeningAttempt } from '../s3/multipart-upload.ts';
import type { S3Uri } from '../s3/s3-uri.ts';
import type { PublishingEntry, UploadEntry } from './journal-entry.ts';
import type { LeftObjects } from './left-objects.ts';
import type { LeftUploads } from './left-uploads.ts';
import type { OwnUploads } from './own-uploads.ts';
import type { JournalNote, JournalStore } from './journal-store.ts';
import { steadyNow } from '../steady-clock.ts';

export interface ExportJournalOptions {
  store: JournalStore;
  own: OwnUploads;
  leftUploads: LeftUploads;
  leftObjects: LeftObjects;
  region: string;
  databaseRole: string | undefined;
}

/** Writes to the journal what one export does at S3, and hands what it leaves there to the background clean-up. */
export class ExportJournal implements UploadJournal {
  readonly #options: ExportJournalOptions;
  readonly #uploads = new Map<string, JournalNote<UploadEntry>>();
  #publishing: JournalNote<PublishingEntry> | undefined;

  constructor(options: ExportJournalOptions) {
    this.#options = options;
  }

  async opening({ bucket, key }: S3Uri): Promise<OpeningAttempt> {
    const { store, own, leftUploads, region, databaseRole } = this.#options;
    const place = { bucket, key, region, databaseRole };
    const note = await store.add({ kind: 'asked' as const, ...place, askedAt: steadyNow() });
    const answered = own.ask(place);
    return {
      opened: async ({ uploadId }) => {
        own.add(uploadId);
        answered();
        this.#uploads.set(uploadId, await note.replace({ kind: 'upload' as const, ...place, uploadId }));
      },
      refused: async () => {
        answered();
        await note.remove();
      },
      lost: async () => {
        answered();
        // If the end of the attempt can't be noted, the upload is looked for in a longer time span (left-uploads.ts).
        leftUploads.find(await note.replace({ ...note.entry, lostAt: steadyNow() }).catch(() => note));
      },
    };
  }

  async closed({ uploadId }: { uploadId: string }): Promise<void> {
    this.#options.own.delete(uploadId);
    await this.#uploads.get(uploadId)?.remove();
    this.#uploads.delete(uploadId);
  }

  leftOpen({ uploadId }: { uploadId: string }): void {
    const note = this.#uploads.get(uploadId);
    if (note !== undefined) this.#options.leftUploads.abort(note);
  }

  async publishing(objects: PublishingEntry['objects']): Promise<void> {
    const { store, region, databaseRole } = this.#options;
    this.#publishing = await store.add({
      kind: 'publishing',
      region,
      databaseRole,
      objects: [...objects],
    });
  }

  async published(object: PublishingEntry['objects'][number]): Promise<void> {
    const note = this.#publishing;
    if (note === undefined) return;
    const objects = note.entry.objects.map((other) => (other.key === object.key ? object : other));
    this.#publishing = await note.replace({ ...note.entry, objects });
  }

  async settled(): Promise<void> {
    await this.#publishing?.remove();
    this.#publishing = undefined;
  }

  unsettled(objects: PublishingEntry['objects']): void {
    if (this.#publishing !== undefined) this.#options.leftObjects.remove(this.#publishing, objects);
  }
}
