import { SluiceError } from '../errors.ts';
import { checksumOf, type Body } from '../s3/body.ts';
import type { S3Connection } from '../s3/connection.ts';
import type { CompletedUpload } from '../s3/multipart-upload.ts';
import type { ObjectSettings } from '../s3/object-settings.ts';
import { putObject } from '../s3/put-object.ts';
import type { BufferMemory } from './buffer-memory.ts';
import type { ExportedFile } from './exported-file.ts';
import { FileParts } from './file-parts.ts';
import { FilePublication } from './file-publication.ts';
import { PartBuffer } from './part-buffer.ts';
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
export class FileUpload implements PublishableFile {
  readonly key: string;
  readonly #context: FileUploadContext;
  /** Parts that have not been sent; only the last one has room for more bytes. */
  #unsent: PartBuffer[];
  #bytes = 0;
  #sentBytes = 0;
  #sentParts = 0;
  readonly #parts: FileParts;
  readonly #publication: FilePublication;

  constructor(key: string, context: FileUploadContext) {
    this.key = key;
    this.#context = context;
    this.#parts = new FileParts(key, context);
    this.#publication = new FilePublication(context);
    this.#unsent = [new PartBuffer(context.memory, context.partSize(1))];
  }

  /** Copies the bytes. When the memory is used up, waits until sent parts give theirs back. */
  async append(bytes: Uint8Array): Promise<void> {
    let rest = bytes;
    while (rest.byteLength > 0) {
      let part = this.#openPart();
      if (part.isFull) {
        part = new PartBuffer(
          this.#context.memory,
          this.#context.partSize(this.#sentParts + this.#unsent.length + 1),
        );
        this.#unsent.push(part);
      }
      if (part.needsBlock) part.addBlock(await this.#takeBlock());
      const taken = part.fill(rest);
      this.#bytes += taken;
      rest = rest.subarray(taken);
    }
  }

  /**
   * Sends the full parts that lie within the file's first `bytes`. The last part is kept: it may stay the only one, and
   * then becomes the object in one PutObject.
   */
  async sendUpTo(bytes: number): Promise<void> {
    for (;;) {
      const [first, second] = this.#unsent;
      if (first === undefined || second === undefined) return;
      if (this.#sentBytes + first.lengthBytes > bytes) return;
      this.#unsent.shift();
      await this.#send(first);
    }
  }

  /** Sends all remaining parts. The file has ended and will be published as a multipart upload. */
  async sendRest(): Promise<void> {
    for (let part = this.#unsent.shift(); part !== undefined; part = this.#unsent.shift()) {
      await this.#send(part);
    }
  }

  /** True when the file is one part that has not been sent: it can be stored with one PutObject. */
  get fitsOneRequest(): boolean {
    return this.#sentParts === 0 && this.#unsent.length === 1;
  }

  get isEmpty(): boolean {
    return this.#bytes === 0;
  }

  /** Moves the last bytes of the file, none of which have been sent, to another file. */
  async moveEnd(bytes: number, next: FileUpload): Promise<void> {
    const keep = this.#bytes - bytes;
    let start = this.#sentBytes;
    let kept = 0;
    for (const part of this.#unsent) {
      const keepOfPart = Math.min(Math.max(keep - start, 0), part.lengthBytes);
      start += part.lengthBytes;
      for (const view of part.views(keepOfPart)) await next.append(view);
      part.truncate(keepOfPart);
      if (keepOfPart > 0) kept++;
    }
    this.#unsent.splice(kept);
    this.#bytes = keep;
  }

  /** Gives the file away as plain data; this object then has no upload any more. All parts must have been sent. */
  async handOver(): Promise<SentFileData> {
    await this.#parts.begun();
    this.#freeUnsent();
    return { key: this.key, bytes: this.#bytes, ...this.#parts.handOver() };
  }

  /** The object that `publish` will make. All parts must have been stored. */
  describe(): PublishedObject {
    const { bucket, connection } = this.#context;
    const object = { bucket, key: this.key, bytes: this.#bytes, askedAt: steadyNow() };
    const { open, checksum } = this.#parts;
    if (open !== undefined) return { ...object, uploadId: open.uploadId, checksum };
    return { ...object, checksum: connection.checksums === 'crc32' ? checksumOf(this.#body()) : undefined };
  }

  /** All parts must have been stored. */
  async publish(signal: AbortSignal | undefined): Promise<PublishedObject & ExportedFile> {
    const object = await this.#publication.publish(this.describe(), () => this.#store(signal), signal);
    return { ...object, parts: Math.max(this.#sentParts, 1) };
  }

  /** Also frees the memory. */
  async undo(signal: AbortSignal): Promise<{ object: PublishedObject; came: Unpublished } | undefined> {
    this.#freeUnsent();
    await this.#parts.begun();
    const object = this.describe();
    return takeBack({ parts: this.#parts, publication: this.#publication, object }, signal);
  }

  async #store(signal: AbortSignal | undefined): Promise<CompletedUpload> {
    return (await this.#parts.complete(this.#bytes, signal)) ?? this.#put(signal);
  }

  #body(): Body {
    return this.#unsent.flatMap((part) => part.views());
  }

  async #put(signal: AbortSignal | undefined): Promise<CompletedUpload> {
    const { connection, bucket, settings, onStored } = this.#context;
    const body = this.#body();
    const stored = await putObject(connection, { bucket, key: this.key, body, ...settings, signal });
    onStored(this.#bytes);
    this.#freeUnsent();
    return stored;
  }

  async #send(part: PartBuffer): Promise<void> {
    const partNumber = ++this.#sentParts;
    this.#sentBytes += part.lengthBytes;
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

  async #takeBlock(): Promise<Uint8Array> {
    const { memory, scheduler } = this.#context;
    for (;;) {
      const block = memory.take({ beyondLimit: scheduler.inFlight === 0 });
      if (block !== undefined) return block;
      // Also wakes when one of this file's own parts has ended: with none in flight it may take a block beyond the
      // limit, and need not wait for other exports.
      await scheduler.wait(Promise.race([memory.freed(), scheduler.nextEnd()]));
    }
  }

  #openPart(): PartBuffer {
    const part = this.#unsent.at(-1);
    if (part === undefined) throw new Error(`file ${this.key} has ended`);
    return part;
  }

  #freeUnsent(): void {
    for (const part of this.#unsent.splice(0)) part.free();
  }
}

function tooManyParts(key: string): SluiceError {
  return new SluiceError('invalid_argument', `file "${key}" needs more than ${MAX_PARTS} parts`, {
    hint: 'Make the parts larger.',
  });
}
