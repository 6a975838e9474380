import type { MultipartUpload, OpeningAttempt } from '../s3/multipart-upload.ts';
import type { S3Uri } from '../s3/s3-uri.ts';
import type { PublishedObject } from './published-object.ts';

/**
 * Is told what an export does at S3, so that what is left behind by a killed process, or could not be cleaned up at
 * once, can be found and removed. What cannot be noted before it is done fails the export. That the end of something
 * can't be noted is ignored: all it leads to is that what is gone is looked for again.
 */
export interface UploadJournal {
  /**
   * Before each attempt to open a multipart upload. When its answer is lost, S3 has perhaps opened an upload whose id
   * nobody knows; the next attempt opens another.
   */
  opening?(object: S3Uri): Promise<OpeningAttempt> | OpeningAttempt;
  /** The upload was completed or aborted. */
  closed?(upload: MultipartUpload): void | Promise<void>;
  /** The upload could not be aborted, and is still open at S3; `closed` is not called for it. */
  leftOpen?(upload: MultipartUpload, error: unknown): void | Promise<void>;

  /** Before the first of the objects is published. */
  publishing?(objects: readonly PublishedObject[]): void | Promise<void>;
  /** S3 has stored one of them. */
  published?(object: PublishedObject): void | Promise<void>;
  /** The export has succeeded, or failed and nothing is left to be done about the objects. */
  settled?(): void | Promise<void>;
  /** The export has failed, and these objects may be there, or may appear yet: `unpublish` is to be tried again. */
  unsettled?(objects: readonly PublishedObject[]): void | Promise<void>;
}
