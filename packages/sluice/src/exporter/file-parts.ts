import { checksumOfParts, type Body } from '../s3/body.ts';
import type { S3Connection } from '../s3/connection.ts';
import {
  abortMultipartUpload,
  completeMultipartUpload,
  createMultipartUpload,
  type CompletedUpload,
  type MultipartUpload,
  type OpeningAttempt,
  type UploadedPart,
} from '../s3/multipart-upload.ts';
import type { ObjectSettings } from '../s3/object-settings.ts';
import { uploadPart } from '../s3/upload-part.ts';
import type { Unpublished } from './unpublish.ts';
import type { UploadJournal } from './upload-journal.ts';

export interface FilePartsContext {
  connection: S3Connection;
  bucket: string;
  settings: ObjectSettings;
  journal: UploadJournal | undefined;
}

/** A multipart upload and what was sent of it, as plain data. */
export interface SentParts {
  /** Undefined when no part was ever sent. */
  uploadId: string | undefined;
  parts: UploadedPart[];
}

/** The multipart upload of one file, which is created at S3 when its first part is sent. */
export class FileParts {
  readonly #key: string;
  readonly #context: FilePartsContext;
  readonly #uploaded: UploadedPart[] = [];
  /** Parts wait for S3's answer to its creation, and for the journal's note of that. */
  #upload: Promise<MultipartUpload> | undefined;
  /** While it is open at S3. */
  #open: MultipartUpload | undefined;

  /** @param sent parts that somebody else has sent */
  constructor(key: string, context: FilePartsContext, sent?: SentParts) {
    this.#key = key;
    this.#context = context;
    if (sent?.uploadId === undefined) return;
    this.#open = { bucket: context.bucket, key, uploadId: sent.uploadId };
    this.#upload = Promise.resolve(this.#open);
    this.#uploaded.push(...sent.parts);
  }

  /** Gives the upload away. */
  handOver(): SentParts {
    const uploadId = this.#open?.uploadId;
    this.#open = undefined;
    return { uploadId, parts: this.#inOrder() };
  }

  get open(): MultipartUpload | undefined {
    return this.#open;
  }

  /** That S3 will give the object; undefined without checksums. */
  get checksum(): string | undefined {
    return checksumOfParts(this.#inOrder().map(({ checksum }) => checksum));
  }

  async upload(partNumber: number, body: Body, signal: AbortSignal): Promise<void> {
    this.#upload ??= this.#create(signal);
    const upload = await this.#upload;
    const stored = await uploadPart(this.#context.connection, { upload, partNumber, body, signal });
    this.#uploaded.push({ partNumber, ...stored });
  }

  /** Waits until S3 has answered its creation, or has not in time. */
  async begun(): Promise<void> {
    await Promise.allSettled([this.#upload]);
  }

  /** @returns undefined when no part was ever sent */
  async complete(bytes: number, signal: AbortSignal | undefined): Promise<CompletedUpload | undefined> {
    const upload = await this.#upload;
    if (upload === undefined) return undefined;
    const parts = this.#inOrder();
    const completed = await completeMultipartUpload(this.#context.connection, upload, {
      parts,
      bytes,
      signal,
    });
    await this.closed();
    return completed;
  }

  /** @returns what could not be aborted */
  async abort(signal: AbortSignal): Promise<Unpublished | undefined> {
    const upload = this.#open;
    if (upload === undefined) return undefined;
    try {
      await abortMultipartUpload(this.#context.connection, upload, signal);
    } catch (error) {
      await this.leftOpen(error);
      return { is: 'left-open', upload, error };
    }
    await this.closed();
    return undefined;
  }

  /** It could not be aborted: that is left to the journal. */
  async leftOpen(error: unknown): Promise<void> {
    const upload = this.#open;
    if (upload === undefined) return;
    this.#open = undefined;
    await ignoreFailure(async () => this.#context.journal?.leftOpen?.(upload, error));
  }

  /** It has been completed or aborted. */
  async closed(): Promise<void> {
    const upload = this.#open;
    if (upload === undefined) return;
    this.#open = undefined;
    await ignoreFailure(async () => this.#context.journal?.closed?.(upload));
  }

  #inOrder(): UploadedPart[] {
    return this.#uploaded.toSorted((a, b) => a.partNumber - b.partNumber);
  }

  #create(signal: AbortSignal): Promise<MultipartUpload> {
    const { connection, bucket, settings, journal } = this.#context;
    const object = { bucket, key: this.#key };
    const onAttempt = async (): Promise<OpeningAttempt> => {
      const attempt = await journal?.opening?.(object);
      return {
        opened: async (upload) => {
          this.#open = upload;
          await attempt?.opened(upload);
        },
        refused: async () => attempt?.refused(),
        lost: async () => attempt?.lost(),
      };
    };
    return createMultipartUpload(connection, { ...object, ...settings, onAttempt, signal });
  }
}

/** What became of the upload does not change when the journal cannot note it. */
async function ignoreFailure(note: () => Promise<void>): Promise<void> {
  await Promise.allSettled([note()]);
}
