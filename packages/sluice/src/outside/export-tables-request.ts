import type { BufferMemory } from '../exporter/buffer-memory.ts';
import type { ExportedFile } from '../exporter/exported-file.ts';
import type { PublishedKeys } from '../exporter/published-keys.ts';
import type { UploadJournal } from '../exporter/upload-journal.ts';
import type { S3Connection } from '../s3/connection.ts';
import type { StorageSettings } from '../s3/object-settings.ts';
import type { IfExists } from './destination.ts';
import type { ExportState } from './export-state.ts';
import type { HeaderIn } from './piece-copy.ts';
import type { CompressionFormat } from '../compression/compression.ts';

/**
 * What `exportTables` exports, from where, and where to. Files and the manifest are stored with the same settings, but for
 * the storage class: the manifest is STANDARD, since it is read at once.
 */
export interface ExportTablesRequest extends StorageSettings {
  /** A connection string of libpq; what it leaves out comes from PG* variables, as with psql. */
  database?: string | undefined;
  /** Names or patterns as pg_dump takes them: `public.orders`, `archive.*`. */
  tables?: readonly string[] | undefined;
  /** A query that is exported beside the tables, from the same snapshot, to the folder `query/`. */
  query?: string | undefined;
  /** Reads views, foreign tables and the query in ranges of this column. */
  splitBy?: string | undefined;
  connection: S3Connection;
  bucket: string;
  /** What all keys begin with; ends with a slash where it is a folder. */
  prefix: string;
  /** COPY's options, such as `format csv, header true`. @default COPY's own */
  copyOptions?: string | undefined;
  /**
   * Which files begin with the header that `copyOptions` asks for: each, or the first of each table.
   * @default 'each'
   */
  headerIn?: HeaderIn | undefined;
  /** Sessions that read at a time. @default 4 */
  jobs?: number | undefined;
  /** About how large a file is, before compression. @default 256 MiB */
  fileSizeBytes?: number | undefined;
  compression?: CompressionFormat | undefined;
  /** Write `<prefix>manifest.json` when all files are published. @default true */
  manifest?: boolean | undefined;
  /** @default 'fail' */
  ifExists?: IfExists | undefined;
  /** The memory that the parts on their way may take. @default one of its own, of 56 MiB */
  memory?: BufferMemory | undefined;
  /** Notes what the export does at S3, see UploadJournal. */
  journal?: UploadJournal | undefined;
  /** Must be shared by all exports of a process that may store the same keys. @default one of its own */
  publishedKeys?: PublishedKeys | undefined;
  onProgress?: ((state: ExportState) => void) | undefined;
  /** A piece is read again, since its session was lost. */
  onRetry?: ((key: string, error: unknown) => void) | undefined;
  signal?: AbortSignal | undefined;
}

export interface ExportTablesResult {
  files: readonly ExportedFile[];
  rows: bigint;
  /** That COPY has written. */
  bytes: number;
  /** That S3 has stored. */
  storedBytes: number;
  /** Of the manifest, where one was asked for. */
  manifestKey: string | undefined;
}
