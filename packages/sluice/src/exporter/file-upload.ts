import { SluiceError } from '../errors.ts';
import { checksumOf } from '../s3/body.ts';
import type { S3Connection } from '../s3/connection.ts';
import type { CompletedUpload } from '../s3/multipart-upload.ts';
import type { ObjectSettings } from '../s3/object-settings.ts';
import { putObject } from '../s3/put-object.ts';
import type { BufferMemory } from './buffer-memory.ts';
import type { ExportedFile } from './exported-file.ts';
import { FileParts } from './file-parts.ts';
import { FilePublication } from './file-publication.ts';
import type { FileWriter } from './file-writer.ts';
import type { PartBuffer } from './part-buffer.ts';
import { PartQueue } from './part-queue.ts';
import type { PartScheduler } from './part-scheduler.ts';
import { MAX_PARTS } from './part-size.ts';
import type { PublishableFile } from './publishable-file.ts';
import type { PublishedKeys } from './published-keys.ts';
import type { PublishedObject } from './published-object.ts';
import type { SentFileData } from './sent-file.ts';
import { takeBack } from './take-back.ts';
import type { Unpublished } from './unpublish.ts';
import type { UploadJournal } from './upload-journal.ts';
import { steadyNow } from '../steady-clock.ts';

/** What the files of an export have in common. */
export interface FileUploadContext {
  connection: S3Connection;
  bucket: string;
  settings: ObjectSettings;
  memory: BufferMemory;
  scheduler: PartScheduler;
  journal: UploadJournal | undefined;
  keys: PublishedKeys;
  partSize: (partNumber: number) => number;
  /** Called with the size of each part or object that S3 has stored. */
  onStored: (bytes: number) => void;
}

/**
 * One file while it is uploaded: it collects bytes, sends full parts, and becomes an object only in `publish`. It is a
 * multipart upload only if it has more than one part.
 */
export class FileUpload implements FileWriter, PublishableFile {
  readonly key: string;
  readonly #context: FileUploadContext;
  /** Parts that have not been sent. */
  readonly #unsent: PartQueue;
  readonly #parts: FileParts;
  readonly #publication: FilePublication;

  constructor(key: string, context: FileUploadContext) {
    this.key = key;
    this.#context = context;
    this.#parts = new FileParts(key, context);
    this.#publication = new FilePublication(context);
    this.#unsent = new PartQueue({
      memory: context.memory,
      partSize: context.partSize,
      takeBlock: () => this.#takeBlock(),
    });
  }

  get lengthBytes(): number {
    return this.#unsent.lengthBytes;
  }

  append(bytes: Uint8Array): Promise<void> {
    return this.#unsent.append(bytes);
  }

  async sendUpTo(bytes: number): Promise<void> {
    for (const part of this.#unsent.takeUpTo(bytes)) await this.#send(part);
  }

  moveEnd(bytes: number, next: FileWriter): Promise<void> {
    return this.#unsent.moveEnd(bytes, next);
  }

  async end({ keepsOnePart }: { keepsOnePart: boolean }): Promise<void> {
    // One part may become the object in one PutObject; a file without bytes always does.
    if (this.#unsent.isOnePart && (keepsOnePart || this.lengthBytes === 0)) return;
    for (const part of this.#unsent.takeAll()) await this.#send(part);
  }

  discard(): Promise<void> {
    this.#unsent.free();
    return Promise.resolve();
  }

  /** Gives the file away as plain data; this object then has no upload any more. All parts must have been sent. */
  async handOver(): Promise<SentFileData> {
    await this.#parts.begun();
    this.#unsent.free();
    return { key: this.key, bytes: this.lengthBytes, ...this.#parts.handOver() };
  }

  /** The object that `publish` will make. All parts must have been stored. */
  describe(): PublishedObject {
    const { bucket, connection } = this.#context;
    const object = { bucket, key: this.key, bytes: this.lengthBytes, askedAt: steadyNow() };
    const { open, checksum } = this.#parts;
    if (open !== undefined) return { ...object, uploadId: open.uploadId, checksum };
    return {
      ...object,
      checksum: connection.checksums === 'crc32' ? checksumOf(this.#unsent.views()) : undefined,
    };
  }

  /** All parts must have been stored. */
  async publish(signal: AbortSignal | undefined): Promise<PublishedObject & ExportedFile> {
    const object = await this.#publication.publish(this.describe(), () => this.#store(signal), signal);
    return { ...object, parts: Math.max(this.#unsent.takenParts, 1) };
  }

  /** Also frees the memory. */
  async undo(signal: AbortSignal): Promise<{ object: PublishedObject; came: Unpublished } | undefined> {
    this.#unsent.free();
    await this.#parts.begun();
    const object = this.describe();
    return takeBack({ parts: this.#parts, publication: this.#publication, object }, signal);
  }

  async #store(signal: AbortSignal | undefined): Promise<CompletedUpload> {
    return (await this.#parts.complete(this.lengthBytes, signal)) ?? this.#put(signal);
  }

  async #put(signal: AbortSignal | undefined): Promise<CompletedUpload> {
    const { connection, bucket, settings, onStored } = this.#context;
    const body = this.#unsent.views();
    const stored = await putObject(connection, { bucket, key: this.key, body, ...settings, signal });
    onStored(this.lengthBytes);
    this.#unsent.free();
    return stored;
  }

  async #send(part: PartBuffer): Promise<void> {
    const partNumber = this.#unsent.takenParts;
    try {
      if (partNumber > MAX_PARTS) throw tooManyParts(this.key);
      await this.#context.scheduler.start(async (signal) => {
        try {
          await this.#parts.upload(partNumber, part.views(), signal);
          this.#context.onStored(part.lengthBytes);
        } finally {
          part.free();
        }
      });
    } catch (error) {
      // The part's task was not started, so its `finally` does not free the part.
      part.free();
      throw error;
    }
  }

  async #takeBlock(): Promise<Uint8Array<ArrayBuffer>> {
    const { memory, scheduler } = this.#context;
    for (;;) {
      const block = memory.take({ beyondLimit: scheduler.inFlight === 0 });
      if (block !== undefined) return block;
      // Also wakes when one of this file's own parts has ended: with none in flight it may take a block beyond the
      // limit, and need not wait for other exports.
      await scheduler.wait(Promise.race([memory.freed(), scheduler.nextEnd()]));
    }
  }
}

function tooManyParts(key: string): SluiceError {
  return new SluiceError('invalid_argument', `file "${key}" needs more than ${MAX_PARTS} parts`, {
    hint: 'Make the parts larger.',
  });
}
