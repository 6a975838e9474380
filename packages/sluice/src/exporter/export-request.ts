import type { CompressionFormat } from '../compression/compression.ts';
import type { S3Connection } from '../s3/connection.ts';
import type { StorageSettings } from '../s3/object-settings.ts';
import type { BufferMemory } from './buffer-memory.ts';
import type { ExportedFile } from './exported-file.ts';
import type { PublishedKeys } from './published-keys.ts';
import type { RowFormat } from './row-format.ts';
import type { RowScanner } from './row-scanner.ts';
import type { UploadJournal } from './upload-journal.ts';

export interface ExportRequest extends StorageSettings {
  /**
   * The output of COPY. Each chunk is copied before the next one is requested, so the source may reuse its buffer. When
   * the source ends, it has succeeded, and only then is anything published. When it throws, nothing is published, and
   * its error is rethrown unchanged. When the export fails first, the iterator's `return()` is called at once (and
   * `destroy()`, if the source has one).
   */
  source: AsyncIterable<Uint8Array>;
  connection: S3Connection;
  bucket: string;
  /** The key of the first file; for the next files `_part2`, `_part3`, ... is appended. */
  key: string;
  /** How rows are laid out, so that files are cut between them; or what knows where the source's rows start. */
  rowFormat: RowFormat | RowScanner;
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
   * Memory that several exports share. Together they use no more than its limit, or one part each if that is more,
   * because a smaller part could not be sent; an export that compresses also a piece of 512 KiB and a zstd stream.
   * @default memory of its own, 72 MiB
   */
  memory?: BufferMemory | undefined;
  journal?: UploadJournal | undefined;
  onProgress?: ((progress: ExportProgress) => void) | undefined;
  /**
   * Called when all objects are stored; the export succeeds when it resolves. When it rejects, the export fails with
   * its reason, and the objects are removed. With it a caller can make sure that somebody still waits for the result.
   */
  confirm?: (() => Promise<void>) | undefined;
  /**
   * Must be shared by all exports of a process that may store the same keys, whichever journal they use.
   * @default one that all exports to the same endpoint share
   */
  publishedKeys?: PublishedKeys | undefined;
  /**
   * Ends the export, even while it publishes; the signal's reason is thrown. A publishing request in flight is broken
   * off, and no further one is sent. Then the export looks for what S3 has stored, and removes it as far as the role
   * may: that needs s3:DeleteObject (s3:DeleteObjectVersion in a bucket with versions), and s3:GetObject for an object
   * whose request S3 has not answered.
   */
  signal?: AbortSignal | undefined;
}

export interface ExportProgress {
  /** Bytes read from the source. */
  bytesRead: number;
  /** Bytes that S3 has stored. */
  bytesStored: number;
  /** Files begun so far. */
  files: number;
}

export interface ExportResult {
  /** In the order of the rows. */
  files: ExportedFile[];
  /** As stored. */
  bytes: number;
  /** That the source gave, before compression. */
  sourceBytes: number;
}
