import { bodyLength, checksumOf, type Body } from '../s3/body.ts';
import type { S3Connection } from '../s3/connection.ts';
import type { ObjectSettings } from '../s3/object-settings.ts';
import { putObject } from '../s3/put-object.ts';
import { steadyNow } from '../steady-clock.ts';
import type { ExportedFile } from './exported-file.ts';
import { FilePublication } from './file-publication.ts';
import type { PublishableFile } from './publishable-file.ts';
import type { PublishedKeys } from './published-keys.ts';
import type { PublishedObject } from './published-object.ts';
import type { Unpublished } from './unpublish.ts';

export interface SmallFileContext {
  connection: S3Connection;
  bucket: string;
  settings: ObjectSettings;
  keys: PublishedKeys;
}

/** A file that is in memory as a whole until one request stores it. */
export class SmallFile implements PublishableFile {
  readonly #key: string;
  readonly #body: Body;
  readonly #context: SmallFileContext;
  readonly #publication: FilePublication;

  constructor(key: string, body: Body, context: SmallFileContext) {
    this.#key = key;
    this.#body = body;
    this.#context = context;
    this.#publication = new FilePublication(context);
  }

  describe(): PublishedObject {
    const { bucket, connection } = this.#context;
    return {
      bucket,
      key: this.#key,
      bytes: bodyLength(this.#body),
      checksum: connection.checksums === 'crc32' ? checksumOf(this.#body) : undefined,
      askedAt: steadyNow(),
    };
  }

  async publish(signal: AbortSignal | undefined): Promise<PublishedObject & ExportedFile> {
    const { connection, bucket, settings } = this.#context;
    const store = () =>
      putObject(connection, { bucket, key: this.#key, body: this.#body, ...settings, signal });
    const object = await this.#publication.publish(this.describe(), store, signal);
    return { ...object, parts: 1 };
  }

  async undo(signal: AbortSignal): Promise<{ object: PublishedObject; came: Unpublished } | undefined> {
    const { object } = this.#publication;
    if (object === undefined) return undefined;
    return { object, came: await this.#publication.undo(object, signal) };
  }
}
