import type { ExportedFile } from './exported-file.ts';
import type { PublishedObject } from './published-object.ts';
import type { Unpublished } from './unpublish.ts';

/** A file whose bytes are all at S3, or with us, and that nobody can see yet. */
export interface PublishableFile {
  /** The object that `publish` makes. */
  describe(): PublishedObject;
  /** Makes the object. Throws also the signal's reason: then a request that is under way is broken off. */
  publish(signal: AbortSignal | undefined): Promise<PublishedObject & ExportedFile>;
  /**
   * Takes it back, published or not. What S3 could not be asked about is `pending`; then it may be called again.
   *
   * @returns what is left of it
   */
  undo(signal: AbortSignal): Promise<{ object: PublishedObject; came: Unpublished } | undefined>;
}
