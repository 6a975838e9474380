import type { Logger } from 'pino';
import { findMultipartUploads } from '../s3/find-uploads.ts';
import { abortMultipartUpload } from '../s3/multipart-upload.ts';
import type { CleanupQueue } from './cleanup-queue.ts';
import type { AskedEntry, UploadEntry } from './journal-entry.ts';
import type { OwnUploads } from './own-uploads.ts';
import { searchSpan } from './search-span.ts';
import type { S3Access } from './s3-access.ts';
import type { JournalNote } from './journal-store.ts';
import { steadyNow } from '../steady-clock.ts';

export interface LeftUploadsOptions {
  queue: CleanupQueue;
  s3: S3Access;
  own: OwnUploads;
  log: Logger;
}

/** Aborts multipart uploads that were left open, in the background. */
export class LeftUploads {
  readonly #options: LeftUploadsOptions;

  constructor(options: LeftUploadsOptions) {
    this.#options = options;
  }

  /** Aborts an upload that could not be aborted when its export failed. */
  abort(note: JournalNote<UploadEntry>): void {
    const { queue, s3, own, log } = this.#options;
    const { bucket, key, uploadId } = note.entry;
    const about = { bucket, key, uploadId };
    queue.add({
      about,
      failure:
        'a multipart upload is left open: abort it, or let the role abort it (s3:AbortMultipartUpload)',
      run: async (signal) => {
        await s3.use(note.entry, { signal }, (connection) =>
          abortMultipartUpload(connection, { bucket, key, uploadId }, signal),
        );
        await note.remove();
        own.delete(uploadId);
        log.warn(about, 'aborted a multipart upload that was left open');
        return true;
      },
    });
  }

  /**
   * Looks for an upload that S3 may have opened although its answer, with the upload's id, was lost. Of the object's
   * open uploads, those that began during the attempt and are not known as this agent's own are aborted.
   *
   * One case remains: an upload that another program began for the same key in the same seconds can't be told apart,
   * and is aborted as well.
   */
  find(note: JournalNote<AskedEntry>): void {
    const { queue, s3, log } = this.#options;
    const { bucket, key } = note.entry;
    const span = searchSpan(note.entry);
    queue.add({
      about: { bucket, key },
      failure:
        'a multipart upload may be left open, since the answer to its creation was lost: let the role look for it (s3:ListBucketMultipartUploads), or look for it and abort it',
      run: async (signal) => {
        const isDone = await s3.use(note.entry, { signal }, async (connection) => {
          const uploads = await findMultipartUploads(connection, { bucket, key }, span, {
            signal,
          });
          if (this.#options.own.isAsking(note.entry)) return false;
          for (const upload of uploads.filter(({ uploadId }) => !this.#options.own.has(uploadId))) {
            await abortMultipartUpload(connection, upload, signal);
            log.warn({ ...upload }, 'aborted a multipart upload, the answer to whose creation was lost');
          }
          return steadyNow() > span.to;
        });
        if (isDone) await note.remove();
        return isDone;
      },
    });
  }
}
