import { createCompressor } from '../compression/compressor.ts';
import type { ExportLimits } from './export-limits.ts';
import type { S3Connection } from '../s3/connection.ts';
import { objectSettingsOf } from '../s3/object-settings.ts';
import { BufferMemory } from './buffer-memory.ts';
import { CompressedFile, type CompressedFileContext } from './compressed-file.ts';
import type { ExportProgress, ExportRequest } from './export-request.ts';
import { FileUpload, type FileUploadContext } from './file-upload.ts';
import type { FileWriter } from './file-writer.ts';
import type { PartScheduler } from './part-scheduler.ts';
import { partSizeOf } from './part-size.ts';
import { PublishedKeys } from './published-keys.ts';

/** For exports without `publishedKeys`: one for each endpoint. */
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
    const { connection, bucket, key, journal } = request;
    const { memory = new BufferMemory(), publishedKeys = sharedKeysOf(connection) } = request;
    this.#key = key;
    this.#onProgress = request.onProgress;
    this.#context = {
      connection,
      bucket,
      settings: objectSettingsOf(request),
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

  get bytesRead(): number {
    return this.#bytesRead;
  }

  async append(bytes: Uint8Array): Promise<void> {
    await this.#current.append(bytes);
    this.#bytesRead += bytes.byteLength;
  }

  /** See FileWriter. */
  sendUpTo(bytes: number): Promise<void> {
    return this.#current.sendUpTo(bytes);
  }

  /** Closes the current file without its last `carryBytes` bytes, which become the beginning of the next file. */
  async cut(carryBytes: number): Promise<void> {
    const ended = this.#current;
    this.#current = this.#begin();
    await ended.moveEnd(carryBytes, this.#current);
    await this.#end(ended, { keepsOnePart: false });
  }

  /** Ends the last file. */
  end(options: { keepsOnePart: boolean }): Promise<void> {
    return this.#end(this.#current, options);
  }

  /** Gives the memory of what was being written back, once the export has failed. */
  async discard(): Promise<void> {
    for (const file of this.#open) await file.discard();
  }

  async #end(file: FileWriter, options: { keepsOnePart: boolean }): Promise<void> {
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
