import type { Client } from 'pg';
import { endsTransaction } from '../database-error.ts';
import { SluiceError } from '../errors.ts';
import { sendToS3 } from '../exporter/export-to-s3.ts';
import type { BufferMemory } from '../exporter/buffer-memory.ts';
import { LARGEST_OBJECT_BYTES } from '../exporter/part-size.ts';
import type { UploadJournal } from '../exporter/upload-journal.ts';
import type { S3Connection } from '../s3/connection.ts';
import { disconnect } from '../source/connect.ts';
import { copyOut } from '../source/copy-out.ts';
import { countedCopy } from '../source/counted-copy.ts';
import type { PieceMeter } from './progress-meter.ts';
import type { PieceReader } from './local-pieces.ts';
import type { PieceJob, PieceResult } from './piece-job.ts';
import type { PieceSettings } from './piece-runner.ts';

/** S3's least: with several sessions, small parts keep more of them busy in the same memory. */
const PART_SIZE_BYTES = 5 * 1024 ** 2;

export interface SnapshotReaderOptions {
  /** In a transaction that sees the snapshot. */
  client: Client;
  settings: PieceSettings;
  connection: S3Connection;
  memory: BufferMemory;
  journal: UploadJournal | undefined;
  meter: (job: PieceJob) => PieceMeter;
}

/** Reads pieces through one session, and sends each as a file. */
export class SnapshotReader implements PieceReader {
  readonly #options: SnapshotReaderOptions;

  constructor(options: SnapshotReaderOptions) {
    this.#options = options;
  }

  async read(job: PieceJob, signal: AbortSignal): Promise<PieceResult> {
    const { client, settings, connection, memory, journal } = this.#options;
    const { bucket, compression, object } = settings;
    const { sql, hasHeaderLine } = job;
    const meter = this.#options.meter(job);
    const copy = copyOut(client, sql, { hasHeaderLine, signal });
    try {
      const { files, sourceBytes: bytes } = await sendToS3({
        connection,
        bucket,
        ...object,
        compression: compression?.format,
        compressionLevel: compression?.level,
        memory,
        journal,
        partSizeBytes: PART_SIZE_BYTES,
        source: countedCopy(copy, (soFar) => meter.count(soFar)),
        rowFormat: copy.rows,
        key: job.key,
        // A piece is one file.
        fileLimitBytes: LARGEST_OBJECT_BYTES,
        onProgress: ({ bytesStored: storedBytes }) => meter.count({ storedBytes }),
        signal,
      });
      const rows = copy.rowCount ?? 0n;
      meter.count({
        rows: Number(rows),
        bytes,
        storedBytes: files.reduce((sum, file) => sum + file.bytes, 0),
      });
      meter.done();
      return { id: job.id, rows, bytes, files };
    } catch (error) {
      meter.failed();
      throw asSessionError(error);
    } finally {
      await copy.end();
    }
  }

  async close(): Promise<void> {
    await disconnect(this.#options.client);
  }
}

/** Terminated by somebody, by a restart, by a recovery conflict on a standby: another one may read the same. */
function asSessionError(error: unknown): unknown {
  if (!(error instanceof Error) || !endsTransaction(error)) return error;
  return new SluiceError('database_unavailable', 'the session that read a part of the export was ended', {
    cause: error,
    detail: `PostgreSQL says: ${error.message}.`,
    retryable: true,
  });
}
