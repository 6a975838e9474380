import type { MultipartUpload, OpeningAttempt } from '../s3/multipart-upload.ts';
import type { S3Uri } from '../s3/s3-uri.ts';
import type { PublishedObject } from './published-object.ts';

/**
 * Notes what an export does at S3, so that what a killed process leaves behind, or what could not be cleaned up at
 * once, can be found and removed. If something can't be noted before it is done, the export fails. If its end can't be
 * noted, that is ignored: the clean-up then only looks for something that does not exist any more.
 */
export interface UploadJournal {
  /**
   * Aborted when somebody else may do the same export by now, and cleans up by the journal: what was published must not be
   * removed any more, since it could be taken for what the other one has stored.
   */
  readonly lost?: AbortSignal | undefined;

  /**
   * Called before each attempt to open a multipart upload. If the answer is lost, S3 may have opened an upload whose id
   * is not known; the next attempt opens another one.
   */
  opening?(object: S3Uri): Promise<OpeningAttempt> | OpeningAttempt;
  /** The upload was completed or aborted. */
  closed?(upload: MultipartUpload): void | Promise<void>;
  /** The upload could not be aborted, and is still open at S3; `closed` is not called for it. */
  leftOpen?(upload: MultipartUpload, error: unknown): void | Promise<void>;

  /** Called before the first object is published. */
  publishing?(objects: readonly PublishedObject[]): void | Promise<void>;
  /** S3 has stored one of the objects. */
  published?(object: PublishedObject): void | Promise<void>;
  /** Called before the last of the objects, with which the export is whole, is published. When it throws, it is not. */
  publishingLast?(): void | Promise<void>;
  /** The export has succeeded (when this throws, it has not), or it has failed and nothing of its objects is left. */
  settled?(outcome: { isPublished: boolean }): void | Promise<void>;
  /** The export has failed, and these objects may exist or may still appear: `unpublish` must be tried again. */
  unsettled?(objects: readonly PublishedObject[]): void | Promise<void>;
}
