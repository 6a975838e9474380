import type { Logger } from 'pino';
import { abortMultipartUpload, findMultipartUploads, type MultipartUpload } from '../s3/multipart-upload.ts';
import type { S3Connection } from '../s3/connection.ts';
import type { S3Connections } from './s3-connections.ts';
import type { FileUploadJournal, JournalEntry, LeftEntry } from './upload-journal.ts';

const RETRY_MS = 5 * 60_000;
/** How far S3's clock may be from ours, and how long it may have taken to open an upload. */
const CLOCK_SKEW_MS = 60_000;

export interface LeftUploadsOptions {
  journal: FileUploadJournal;
  s3: S3Connections;
  log: Logger;
}

/**
 * Aborts the multipart uploads that an earlier agent left, in the background: the role may not be there yet, or S3 not be
 * reached, and then it is tried again from time to time.
 */
export class LeftUploads {
  readonly #options: LeftUploadsOptions;
  readonly #stopping = new AbortController();
  #entries: readonly LeftEntry[];
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();

  private constructor(options: LeftUploadsOptions, entries: readonly LeftEntry[]) {
    this.#options = options;
    this.#entries = entries;
  }

  /** To be called before the first export of this agent: what is in the journal then is left. */
  static async find(options: LeftUploadsOptions): Promise<LeftUploads> {
    return new LeftUploads(options, await options.journal.left());
  }

  startAborting(): void {
    this.#running = this.#abortAll().catch((error: unknown) => {
      this.#options.log.error({ err: error }, 'could not abort what an earlier agent left');
    });
  }

  async stop(): Promise<void> {
    this.#stopping.abort(new Error('the agent is shutting down'));
    clearTimeout(this.#timer);
    await this.#running;
  }

  async #abortAll(): Promise<void> {
    const remaining: LeftEntry[] = [];
    for (const left of this.#entries) {
      if (this.#stopping.signal.aborted) return;
      if (!(await this.#abort(left))) remaining.push(left);
    }
    this.#entries = remaining;
    if (remaining.length === 0 || this.#stopping.signal.aborted) return;
    this.#timer = setTimeout(() => this.startAborting(), RETRY_MS).unref();
  }

  async #abort({ entry, done }: LeftEntry): Promise<boolean> {
    const { s3, log } = this.#options;
    const { bucket, key, uploadId, region } = entry;
    const signal = this.#stopping.signal;
    try {
      const lease = await s3.forCleanUp(region, { signal });
      try {
        for (const upload of await uploadsOf(entry, lease.connection)) {
          await abortMultipartUpload(lease.connection, upload, signal);
          log.warn({ ...upload }, 'aborted a multipart upload that an earlier agent left');
        }
      } finally {
        lease.release();
      }
      await done();
      return true;
    } catch (error) {
      if (!signal.aborted)
        log.error({ err: error, bucket, key, uploadId }, 'an earlier agent may have left a multipart upload');
      return false;
    }
  }
}

/** Where the id is not known, S3 is asked which uploads of the object were begun at that moment. */
async function uploadsOf(
  { bucket, key, uploadId, askedAt }: JournalEntry,
  connection: S3Connection,
): Promise<MultipartUpload[]> {
  if (uploadId !== undefined) return [{ bucket, key, uploadId }];
  return findMultipartUploads(
    connection,
    { bucket, key },
    { from: new Date(askedAt - CLOCK_SKEW_MS), to: new Date(askedAt + CLOCK_SKEW_MS) },
  );
}
