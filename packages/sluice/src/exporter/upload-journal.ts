import type { MultipartUpload } from '../s3/multipart-upload.ts';

/** What an upload will become. */
export type UploadObject = Pick<MultipartUpload, 'bucket' | 'key'>;

/**
 * Is told of each multipart upload, so that one that is left behind by a killed process can be found and aborted. An
 * upload that cannot be noted when it is opened fails the export; a failure to note its end is ignored, since all it
 * leads to is that an upload that is gone is aborted again.
 */
export interface UploadJournal {
  /** Before S3 is asked to open an upload: should this process be killed now, its id is known to S3 only. */
  opening?(object: UploadObject): void | Promise<void>;
  /** S3 opened none. */
  notOpened?(object: UploadObject): void | Promise<void>;
  /** Before the first part is sent: the export waits for it. */
  opened(upload: MultipartUpload): void | Promise<void>;
  /** After the upload was completed or aborted. */
  closed(upload: MultipartUpload): void | Promise<void>;
  /** The upload could not be aborted, and is still open at S3; `closed` is not called for it. */
  leftOpen?(upload: MultipartUpload, error: unknown): void | Promise<void>;
}
