import type { Logger } from 'pino';
import { abortMultipartUpload } from '../s3/multipart-upload.ts';
import type { S3Connections } from './s3-connections.ts';
import type { FileUploadJournal, OpenUpload } from './upload-journal.ts';

const RETRY_MS = 5 * 60_000;

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
  #uploads: readonly OpenUpload[];
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();

  private constructor(options: LeftUploadsOptions, uploads: readonly OpenUpload[]) {
    this.#options = options;
    this.#uploads = uploads;
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
    const remaining: OpenUpload[] = [];
    for (const upload of this.#uploads) {
      if (this.#stopping.signal.aborted) return;
      if (!(await this.#abort(upload))) remaining.push(upload);
    }
    this.#uploads = remaining;
    if (remaining.length === 0 || this.#stopping.signal.aborted) return;
    this.#timer = setTimeout(() => this.startAborting(), RETRY_MS).unref();
  }

  async #abort(upload: OpenUpload): Promise<boolean> {
    const { journal, s3, log } = this.#options;
    const signal = this.#stopping.signal;
    try {
      const lease = await s3.forCleanUp(upload.region, { signal });
      try {
        await abortMultipartUpload(lease.connection, upload, signal);
      } finally {
        lease.release();
      }
      await journal.closed(upload);
      log.warn(upload, 'aborted a multipart upload that an earlier agent left');
      return true;
    } catch (error) {
      if (!signal.aborted)
        log.error({ err: error, ...upload }, 'could not abort a multipart upload that an earlier agent left');
      return false;
    }
  }
}
