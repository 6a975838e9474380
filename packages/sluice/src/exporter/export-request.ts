import type { CompressionFormat } from '../compression/compression.ts';
import type { S3Connection } from '../s3/connection.ts';
import type { BufferMemory } from './buffer-memory.ts';
import type { ExportedFile } from './exported-file.ts';
import type { PublishedKeys } from './published-keys.ts';
import type { RowFormat } from './row-format.ts';
import type { UploadJournal } from './upload-journal.ts';

export interface ExportRequest {
  /**
   * What COPY writes. A chunk is copied before the next one is asked for. Its end means success: only then is anything
   * published. When it throws, nothing is published, and its error is thrown again as it is. When the export fails
   * first, its iterator's `return()` is called at once (and `destroy()`, where it has one).
   */
  source: AsyncIterable<Uint8Array>;
  connection: S3Connection;
  bucket: string;
  /** Of the first file; `_part2`, `_part3`, ... are appended for those after it. */
  key: string;
  rowFormat: RowFormat;
  contentType?: string | undefined;
  /**
   * What the objects say about themselves; it compresses nothing. Clients that know it decompress as they read.
   * @default nothing, also with `compression`: then the key or the content type may tell
   */
  contentEncoding?: string | undefined;
  /**
   * Each file is compressed by itself, in other threads, after the rows were cut into files. zstd needs Node.js 22.15.
   * @default undefined: files hold what the source gives
   */
  compression?: CompressionFormat | undefined;
  /** From 1 to 9. @default 6 for gzip, 3 for zstd */
  compressionLevel?: number | undefined;
  /** The KMS key to encrypt with. @default the bucket's own encryption */
  kmsKeyId?: string | undefined;
  /**
   * A file is closed at the last row boundary at or below this size, in bytes of the source: compressed files are
   * smaller. @default 6 GiB
   */
  fileLimitBytes?: number | undefined;
  /** The size of the first parts; see `partSizeOf`. @default 8 MiB */
  partSizeBytes?: number | undefined;
  /** @default 8 */
  partsInFlight?: number | undefined;
  /**
   * The memory that the exports of a process share. Together they hold no more than its limit, or one part for each of
   * them, since no smaller part could be sent, and, when they compress, a piece of 512 KiB
   * and a zstd stream. @default one of its own, of 72 MiB
   */
  memory?: BufferMemory | undefined;
  journal?: UploadJournal | undefined;
  onProgress?: ((progress: ExportProgress) => void) | undefined;
  /**
   * Waited for when all objects are there, before the export succeeds: for a caller who may be gone by then. When it
   * rejects, the export fails with its reason, and the objects are removed again.
   */
  confirm?: (() => Promise<void>) | undefined;
  /**
   * Shared by all exports of a process that may store the same keys, whichever journal they use.
   * @default one for all exports to the same endpoint that give none
   */
  publishedKeys?: PublishedKeys | undefined;
  /**
   * Ends the export, also while it publishes; its reason is thrown. A request to publish that is under way is broken off,
   * and no other is made. Then it is found out what S3 has stored, and that is removed again, as far as the role may: it
   * needs s3:DeleteObject (s3:DeleteObjectVersion in a bucket with versions), and s3:GetObject to look for an object that
   * S3 has not answered about.
   */
  signal?: AbortSignal | undefined;
}

export interface ExportProgress {
  /** Taken from the source. */
  bytesRead: number;
  /** Taken by S3. */
  bytesStored: number;
  /** Begun so far. */
  files: number;
}

export interface ExportResult {
  /** In the order of the rows. */
  files: ExportedFile[];
  /** As stored. */
  bytes: number;
}
