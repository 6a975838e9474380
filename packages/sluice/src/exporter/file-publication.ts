import type { S3Connection } from '../s3/connection.ts';
import type { CompletedUpload } from '../s3/multipart-upload.ts';
import { isUploadError } from '../s3/upload-error.ts';
import type { Publication, PublishedKeys } from './published-keys.ts';
import type { PublishedObject } from './published-object.ts';
import { unpublish, type Unpublished } from './unpublish.ts';
import { steadyNow } from '../steady-clock.ts';

export interface FilePublicationOptions {
  connection: S3Connection;
  keys: PublishedKeys;
}

/** The publication of one file as an object. It knows whether S3 may have stored the object. */
export class FilePublication {
  readonly #options: FilePublicationOptions;
  /** Set while S3 may have stored the object. */
  #object: PublishedObject | undefined;
  #turn: Publication | undefined;

  constructor(options: FilePublicationOptions) {
    this.#options = options;
  }

  /** The object, if S3 may have stored it. */
  get object(): PublishedObject | undefined {
    return this.#object;
  }

  /** @throws what `store` throws, or the signal's reason */
  async publish(
    object: PublishedObject,
    store: () => Promise<CompletedUpload>,
    signal: AbortSignal | undefined,
  ): Promise<PublishedObject> {
    const turn = await this.#options.keys.begin(object, { signal });
    this.#turn = turn;
    let isKnown = false;
    this.#object = { ...object, askedAt: steadyNow() };
    try {
      const { etag, versionId } = await store();
      turn.stored(etag);
      isKnown = true;
      this.#object = { ...this.#object, etag, versionId };
      return this.#object;
    } catch (error) {
      isKnown = isUploadError(error) && !error.outcomeUnknown;
      if (isKnown) this.#object = undefined;
      throw error;
    } finally {
      turn.end({ isKnown });
    }
  }

  /** Removes the object from S3, after the export has failed. */
  async undo(object: PublishedObject, signal: AbortSignal): Promise<Unpublished> {
    this.#turn?.disown();
    const came = await unpublish(this.#options.connection, object, { keys: this.#options.keys, signal });
    if (came.is !== 'pending' && came.is !== 'unknown') this.#turn?.settle();
    if (came.is === 'absent' || came.is === 'removed' || came.is === 'replaced') this.#object = undefined;
    return came;
  }
}
