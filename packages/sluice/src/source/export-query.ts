import type { Client } from 'pg';
import { isDatabaseError } from '../database-error.ts';
import { SluiceError } from '../errors.ts';
import type { ExportProgress, ExportRequest } from '../exporter/export-request.ts';
import { exportToS3 } from '../exporter/export-to-s3.ts';
import type { ExportedFile } from '../exporter/exported-file.ts';
import { NO_TIME_LIMITS } from '../no-time-limits.ts';
import { connectTo, disconnect } from './connect.ts';
import { copyOut, type CopyOut } from './copy-out.ts';
import { countedCopy } from './counted-copy.ts';
import { copyRequestOf, hasHeaderLine, statementIn } from './copy-request.ts';
import { copyStatement } from './copy-statement.ts';
import { sessionError } from './lost-connection.ts';

/** What is exported, and the settings of `exportToS3`. */
export interface ExportQueryRequest extends Omit<
  ExportRequest,
  'source' | 'rowFormat' | 'confirm' | 'onProgress'
> {
  /**
   * A connection string as psql takes it, what it leaves out from PG* variables; or a connected client of pg, which is
   * left connected. A client that is in a transaction exports in it, and what becomes of that is the caller's.
   */
  database: string | Client;
  /** One statement that COPY (query) TO takes: SELECT, VALUES, TABLE, WITH, or INSERT, UPDATE or DELETE with RETURNING. */
  query: string;
  /** COPY's options, such as `format csv, header true`. @default COPY's own */
  copyOptions?: string | undefined;
  onProgress?: ((progress: ExportQueryProgress) => void) | undefined;
}

export interface ExportQueryProgress extends ExportProgress {
  /** Read from the database. */
  rows: number;
}

export interface ExportQueryResult {
  rows: bigint;
  /** In the order of the rows. */
  files: ExportedFile[];
  /** As stored. */
  bytes: number;
  /** That COPY wrote, before compression. */
  sourceBytes: number;
}

/**
 * Exports the result of a query from outside, over a connection to the database: what
 * aws_s3.query_export_to_s3 stores, without anything on the database host. The bytes are those of
 * `COPY (query) TO STDOUT` in psql. It runs in a transaction, which is committed when all objects are there, and rolled
 * back when any of them can't be: a DELETE ... RETURNING whose rows were not stored has deleted none.
 *
 * @throws pg's DatabaseError: the query's own errors
 * @throws SluiceError `database_unavailable`, `options_syntax`, `invalid_argument`, `credentials_unavailable`
 * @throws UploadError as exportToS3
 * @throws the signal's reason
 *
 * @example
 * ```ts
 * const { rows } = await exportQuery({
 *   database: 'postgresql://app@db.example.com/sales',
 *   query: 'SELECT * FROM orders',
 *   copyOptions: 'format csv, header true',
 *   connection: new S3Connection({ region: 'us-west-2', credentials: fromNodeProviderChain() }),
 *   bucket: 'sample-bucket',
 *   key: 'orders.csv',
 * });
 * ```
 */
export async function exportQuery(request: ExportQueryRequest): Promise<ExportQueryResult> {
  const { database, ...rest } = request;
  const { signal } = rest;
  signal?.throwIfAborted();
  if (typeof database !== 'string') return exportFrom(database, rest);
  const client = await connectTo({ connectionString: database, signal });
  try {
    return await exportFrom(client, rest);
  } finally {
    await disconnect(client);
  }
}

async function exportFrom(
  client: Client,
  { query, copyOptions, onProgress, ...target }: Omit<ExportQueryRequest, 'database'>,
): Promise<ExportQueryResult> {
  const { signal } = target;
  // In one that has failed, COPY says so.
  const isOwnTransaction = client.getTransactionStatus() === 'I';
  let commitError: unknown;
  const confirm = async (): Promise<void> => {
    try {
      await client.query('COMMIT');
    } catch (error) {
      // The server refuses it, so the transaction is rolled back, and the objects have to go.
      if (isDatabaseError(error)) throw error;
      commitError = error;
    }
  };
  let source: CopyOut | undefined;
  try {
    if (isOwnTransaction) await begin(client);
    const copyRequest = await copyRequestOf(client, copyOptions);
    const { contentType } = copyRequest.layout;
    const { compression } = copyRequest;
    source = copyOut(client, copyStatement(statementIn(query, copyRequest), copyRequest.options), {
      hasHeaderLine: hasHeaderLine(copyRequest),
      signal,
    });
    let progress: ExportQueryProgress = { rows: 0, bytesRead: 0, bytesStored: 0, files: 0 };
    const tell = (changes: Partial<ExportQueryProgress>): void => {
      progress = { ...progress, ...changes };
      onProgress?.(progress);
    };
    const { files, bytes, sourceBytes } = await exportToS3({
      contentType,
      // As the SQL functions do it.
      ...(compression !== undefined && {
        compression: compression.format,
        compressionLevel: compression.level,
        contentEncoding: compression.format,
      }),
      ...target,
      source: countedCopy(source, ({ rows, bytes: bytesRead }) => tell({ rows, bytesRead })),
      rowFormat: source.rows,
      onProgress: ({ bytesStored, files: count }) => tell({ bytesStored, files: count }),
      ...(isOwnTransaction ? { confirm } : {}),
    });
    if (commitError !== undefined) throw unknownCommit(commitError);
    return { rows: source.rowCount ?? 0n, files, bytes, sourceBytes };
  } catch (error) {
    await source?.end();
    // A connection that is lost has rolled back by itself.
    if (isOwnTransaction) await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  }
}

async function begin(client: Client): Promise<void> {
  await client.query(`BEGIN; ${NO_TIME_LIMITS}`).catch((error: unknown) => {
    throw sessionError(error);
  });
}

function unknownCommit(cause: unknown): SluiceError {
  return new SluiceError(
    'database_unavailable',
    'the connection to PostgreSQL was lost while the export was committed',
    {
      cause,
      detail: 'The objects are there. Whether what the query has changed was committed is not known.',
      hint: 'A query that changes nothing has been exported. Of another, look whether its changes are there.',
    },
  );
}
