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
import type { PublishedKeys } from './published-keys.ts';
import type { PublishedObject } from './published-object.ts';
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
  /** Bytes that S3 has taken, in parts and whole objects. */
  onStored: (bytes: number) => void;
}

/**
 * One file on its way: takes bytes, sends full parts, and becomes an object only when `publish` is called. Until more
 * than one part is there it is no multipart upload.
 */
export class FileUpload implements FileWriter {
  readonly key: string;
  readonly #context: FileUploadContext;
  /** Parts that are not being sent yet. */
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

  async end({ isLast }: { isLast: boolean }): Promise<void> {
    if (isLast && this.#unsent.isOnePart) return;
    for (const part of this.#unsent.takeAll()) await this.#send(part);
  }

  discard(): Promise<void> {
    this.#unsent.free();
    return Promise.resolve();
  }

  /** The object that `publish` makes. All parts must have been sent well. */
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

  /**
   * Makes the object. All parts must have been sent well.
   *
   * @throws also the signal's reason: then no further attempt is made, and the one under way is broken off
   */
  async publish(signal: AbortSignal | undefined): Promise<PublishedObject & ExportedFile> {
    const object = await this.#publication.publish(this.describe(), () => this.#store(signal), signal);
    return { ...object, parts: Math.max(this.#unsent.takenParts, 1) };
  }

  /**
   * Leaves nothing behind: neither memory, nor an open multipart upload, nor an object. What S3 could not be asked about
   * is `pending`; then it may be called again.
   *
   * @returns what is not as if the file had never been
   */
  async undo(signal: AbortSignal): Promise<{ object: PublishedObject; came: Unpublished } | undefined> {
    this.#unsent.free();
    await this.#parts.begun();
    const { object } = this.#publication;
    if (object === undefined) {
      const left = await this.#parts.abort(signal);
      return left && { object: this.describe(), came: left };
    }
    const came = await this.#publication.undo(object, signal);
    if (came.is === 'left-open') await this.#parts.leftOpen(came.error);
    else await this.#parts.closed();
    return { object, came };
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
      // It was not started, so nothing else frees it.
      part.free();
      throw error;
    }
  }

  async #takeBlock(): Promise<Uint8Array<ArrayBuffer>> {
    const { memory, scheduler } = this.#context;
    for (;;) {
      const block = memory.take({ beyondLimit: scheduler.inFlight === 0 });
      if (block !== undefined) return block;
      // Also for the end of its own parts: then it may go beyond the limit, and need not wait for another's.
      await scheduler.wait(Promise.race([memory.freed(), scheduler.nextEnd()]));
    }
  }
}

function tooManyParts(key: string): SluiceError {
  return new SluiceError('invalid_argument', `file "${key}" needs more than ${MAX_PARTS} parts`, {
    hint: 'Make the parts larger.',
  });
}
