import { checksumOf } from '../s3/body.ts';
import { putObject } from '../s3/put-object.ts';
import { steadyNow } from '../steady-clock.ts';
import type { ExportedFile } from './exported-file.ts';
import { FileParts, type FilePartsContext, type SentParts } from './file-parts.ts';
import { FilePublication } from './file-publication.ts';
import type { PublishableFile } from './publishable-file.ts';
import type { PublishedKeys } from './published-keys.ts';
import type { PublishedObject } from './published-object.ts';
import { takeBack } from './take-back.ts';
import type { Unpublished } from './unpublish.ts';

/** A file whose bytes are all at S3, as plain data, so that another process than the one that sent it can publish it. */
export interface SentFileData extends SentParts {
  key: string;
  bytes: number;
}

/** A file that was sent, by whomever, and that nobody can see before it is published. One without bytes has no upload. */
export class SentFile implements PublishableFile {
  readonly #data: SentFileData;
  readonly #context: FilePartsContext;
  readonly #parts: FileParts;
  readonly #publication: FilePublication;

  constructor(data: SentFileData, context: FilePartsContext & { keys: PublishedKeys }) {
    this.#data = data;
    this.#context = context;
    this.#parts = new FileParts(data.key, context, data);
    this.#publication = new FilePublication(context);
  }

  describe(): PublishedObject {
    const { bucket, connection } = this.#context;
    const { key, bytes, uploadId } = this.#data;
    const object = { bucket, key, bytes, askedAt: steadyNow() };
    if (uploadId !== undefined) return { ...object, uploadId, checksum: this.#parts.checksum };
    return { ...object, checksum: connection.checksums === 'crc32' ? checksumOf([]) : undefined };
  }

  async publish(signal: AbortSignal | undefined): Promise<PublishedObject & ExportedFile> {
    const { connection, bucket, settings } = this.#context;
    const { key, bytes, parts } = this.#data;
    const object = await this.#publication.publish(
      this.describe(),
      async () =>
        (await this.#parts.complete(bytes, signal)) ??
        putObject(connection, { bucket, key, body: [], ...settings, signal }),
      signal,
    );
    return { ...object, parts: Math.max(parts.length, 1) };
  }

  async undo(signal: AbortSignal): Promise<{ object: PublishedObject; came: Unpublished } | undefined> {
    const object = this.describe();
    return takeBack({ parts: this.#parts, publication: this.#publication, object }, signal);
  }
}
