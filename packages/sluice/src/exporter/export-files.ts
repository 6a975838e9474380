import { createCompressor } from '../compression/compressor.ts';
import type { ExportLimits } from './export-limits.ts';
import type { S3Connection } from '../s3/connection.ts';
import { BufferMemory } from './buffer-memory.ts';
import { CompressedFile, type CompressedFileContext } from './compressed-file.ts';
import type { ExportProgress, ExportRequest } from './export-request.ts';
import { FileUpload, type FileUploadContext } from './file-upload.ts';
import type { FileWriter } from './file-writer.ts';
import type { PartScheduler } from './part-scheduler.ts';
import { partSizeOf } from './part-size.ts';
import { PublishedKeys } from './published-keys.ts';

/** Of the exports of this process that give none, by the store that they export to. */
const SHARED_KEYS = new Map<string | undefined, PublishedKeys>();

/** The files of one export, of which the last is being written. */
export class ExportFiles {
  readonly #key: string;
  readonly #context: FileUploadContext;
  readonly #files: FileUpload[] = [];
  readonly #compression: CompressedFileContext | undefined;
  /** Those that have not ended. */
  readonly #open = new Set<FileWriter>();
  readonly #onProgress: ((progress: ExportProgress) => void) | undefined;
  #current: FileWriter;
  #bytesRead = 0;
  #bytesStored = 0;

  constructor(request: ExportRequest, limits: ExportLimits, scheduler: PartScheduler) {
    const { connection, bucket, key, contentType, contentEncoding, kmsKeyId, journal } = request;
    const { memory = new BufferMemory(), publishedKeys = sharedKeysOf(connection) } = request;
    this.#key = key;
    this.#onProgress = request.onProgress;
    this.#context = {
      connection,
      bucket,
      settings: { contentType, contentEncoding, kmsKeyId },
      memory,
      scheduler,
      journal,
      keys: publishedKeys,
      partSize: (partNumber) => partSizeOf(partNumber, limits),
      onStored: (bytes) => this.#noteStored(bytes),
    };
    const { compression } = limits;
    if (compression !== undefined) {
      this.#compression = { createCompressor: () => createCompressor(compression), memory, scheduler };
    }
    this.#current = this.#begin();
  }

  /** In the order of the rows. */
  get all(): readonly FileUpload[] {
    return this.#files;
  }

  async append(bytes: Uint8Array): Promise<void> {
    await this.#current.append(bytes);
    this.#bytesRead += bytes.byteLength;
  }

  /** See FileWriter. */
  sendUpTo(bytes: number): Promise<void> {
    return this.#current.sendUpTo(bytes);
  }

  /** Ends the current file, but for its last bytes: they begin the next one. */
  async cut(carryBytes: number): Promise<void> {
    const ended = this.#current;
    this.#current = this.#begin();
    await ended.moveEnd(carryBytes, this.#current);
    await this.#end(ended, { isLast: false });
  }

  /** Ends the last file. */
  end(): Promise<void> {
    return this.#end(this.#current, { isLast: true });
  }

  /** Gives the memory of what was being written back, once the export has failed. */
  async discard(): Promise<void> {
    for (const file of this.#open) await file.discard();
  }

  async #end(file: FileWriter, options: { isLast: boolean }): Promise<void> {
    await file.end(options);
    this.#open.delete(file);
  }

  #begin(): FileWriter {
    const upload = new FileUpload(keyOfFile(this.#key, this.#files.length + 1), this.#context);
    this.#files.push(upload);
    const file = this.#compression === undefined ? upload : new CompressedFile(upload, this.#compression);
    this.#open.add(file);
    return file;
  }

  #noteStored(bytes: number): void {
    this.#bytesStored += bytes;
    this.#onProgress?.({
      bytesRead: this.#bytesRead,
      bytesStored: this.#bytesStored,
      files: this.#files.length,
    });
  }
}

function sharedKeysOf({ endpoint }: S3Connection): PublishedKeys {
  const keys = SHARED_KEYS.get(endpoint) ?? new PublishedKeys();
  SHARED_KEYS.set(endpoint, keys);
  return keys;
}

/** https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/postgresql-s3-export-file.html (File naming) */
function keyOfFile(key: string, fileNumber: number): string {
  return fileNumber === 1 ? key : `${key}_part${fileNumber}`;
}
