import type { Client } from 'pg';
import { SluiceError } from '../errors.ts';
import { sendToS3 } from '../exporter/export-to-s3.ts';
import type { ExportRequest } from '../exporter/export-request.ts';
import { LARGEST_OBJECT_BYTES } from '../exporter/part-size.ts';
import { disconnect } from '../source/connect.ts';
import { copyOut } from '../source/copy-out.ts';
import { countedCopy } from '../source/counted-copy.ts';
import { sqlStateOf } from '../tables/sql-state-of.ts';
import type { PieceMeter } from './progress-meter.ts';
import type { PieceReader } from './local-pieces.ts';
import type { PieceJob, PieceResult } from './piece-job.ts';

export interface SnapshotReaderOptions {
  /** In a transaction that sees the snapshot. */
  client: Client;
  /** How files are sent, whatever piece they are of. */
  upload: Omit<ExportRequest, 'source' | 'key' | 'rowFormat' | 'onProgress' | 'signal' | 'confirm'>;
  hasHeaderLine: boolean;
  meter: (job: PieceJob) => PieceMeter;
}

/** Reads pieces through one session, and sends each as a file. */
export class SnapshotReader implements PieceReader {
  readonly #options: SnapshotReaderOptions;

  constructor(options: SnapshotReaderOptions) {
    this.#options = options;
  }

  async read(job: PieceJob, signal: AbortSignal): Promise<PieceResult> {
    const { client, upload, hasHeaderLine } = this.#options;
    const meter = this.#options.meter(job);
    const copy = copyOut(client, job.sql, { hasHeaderLine, signal });
    try {
      const { files, sourceBytes: bytes } = await sendToS3({
        ...upload,
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

/**
 * The session was ended, and another one may read the same: terminated by somebody, by a restart, by a recovery conflict
 * on a standby. https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const SESSION_STATES = /^(?:57P0[123]|08\d\d\d|40001|53300)$/;

function asSessionError(error: unknown): unknown {
  if (!(error instanceof Error) || !SESSION_STATES.test(sqlStateOf(error) ?? '')) return error;
  return new SluiceError('database_unavailable', 'the session that read a part of the export was ended', {
    cause: error,
    detail: `PostgreSQL says: ${error.message}.`,
    retryable: true,
  });
}
