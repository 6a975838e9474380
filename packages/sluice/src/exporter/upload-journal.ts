import type { MultipartUpload } from '../s3/multipart-upload.ts';

/**
 * Is told of each multipart upload, so that one that is left behind by a killed process can be found and aborted. An
 * upload that cannot be noted when it is opened fails the export; a failure to note its end is ignored, since all it
 * leads to is that an upload that is gone is aborted again.
 */
export interface UploadJournal {
  /** Before the first part is sent: the export waits for it. */
  opened(upload: MultipartUpload): void | Promise<void>;
  /** After the upload was completed or aborted. */
  closed(upload: MultipartUpload): void | Promise<void>;
  /** The upload could not be aborted, and is still open at S3; `closed` is not called for it. */
  leftOpen?(upload: MultipartUpload, error: unknown): void | Promise<void>;
}
