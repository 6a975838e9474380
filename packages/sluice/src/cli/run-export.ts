import { requireEmpty } from '../outside/destination.ts';
import { ExportPlan } from '../outside/export-plan.ts';
import type { ExportTablesRequest } from '../outside/export-tables-request.ts';
import { ProgressMeter } from '../outside/progress-meter.ts';
import { runPlan } from '../outside/run-plan.ts';
import type { S3Connection } from '../s3/connection.ts';
import { exportQuery } from '../source/export-query.ts';
import { connectAsAwsCli } from './aws-settings.ts';
import type { ExportFlags } from './export.ts';
import { ExportReport } from './export-report.ts';
import { formatPlan } from './format-plan.ts';
import { Interruption } from './interruption.ts';
import { readQuery } from './read-query.ts';

export interface Destination {
  bucket: string;
  path: string;
}

const PROGRESS_MS = 100;

interface Work {
  destination: Destination;
  flags: ExportFlags;
  connection: S3Connection;
  query: string | undefined;
  report: ExportReport;
  signal: AbortSignal;
}

/** @returns the exit status */
export async function runExport(destination: Destination, flags: ExportFlags): Promise<number> {
  const report = new ExportReport(flags);
  const interruption = new Interruption();
  const { signal } = interruption;
  // What is counted goes back to nothing then.
  signal.addEventListener('abort', () => report.end(), { once: true });
  let connection: S3Connection | undefined;
  try {
    connection = await connectAsAwsCli(flags);
    const query = flags.query === undefined ? undefined : await readQuery(flags.query);
    const work = { destination, flags, connection, query, report, signal };
    await (query === undefined || hasSeveralFiles(destination, flags)
      ? runTables(work)
      : runQuery(work, query));
    return 0;
  } catch (error) {
    report.failed(error);
    return interruption.exitStatus ?? 1;
  } finally {
    report.end();
    interruption.end();
    await connection?.close();
  }
}

/** A query alone is one file, unless it is cut, or goes to a folder. */
function hasSeveralFiles({ path }: Destination, { table = [], splitBy, dryRun }: ExportFlags): boolean {
  return table.length > 0 || splitBy !== undefined || dryRun === true || path === '' || path.endsWith('/');
}

/** One query to the path as it is given. */
async function runQuery(
  { destination, flags, connection, report, signal }: Work,
  query: string,
): Promise<void> {
  const { bucket, path: key } = destination;
  const { database = '', options, fileSize, kmsKey, compression, ifExists } = flags;
  if (ifExists !== 'overwrite') await requireEmpty({ connection, bucket, prefixes: [key], signal });
  const meter = new ProgressMeter([
    { name: 'query', pieces: 1, estimatedRows: undefined, estimatedBytes: 0 },
  ]);
  const piece = meter.begin(0, 0);
  // Also while there is nothing to count, a query may take long.
  const timer = setInterval(() => report.progress(meter.state), PROGRESS_MS);
  try {
    const { rows, files, bytes, sourceBytes } = await exportQuery({
      database,
      query,
      copyOptions: options,
      connection,
      bucket,
      key,
      fileLimitBytes: fileSize,
      kmsKeyId: kmsKey,
      compression,
      contentEncoding: compression,
      onProgress: ({ rows: soFar, bytesRead, bytesStored }) =>
        piece.count({ rows: soFar, bytes: bytesRead, storedBytes: bytesStored }),
      signal,
    });
    report.done({
      uri: `s3://${bucket}/${key}`,
      rows,
      files: files.length,
      bytes: sourceBytes,
      storedBytes: bytes,
    });
  } finally {
    clearInterval(timer);
  }
}

/** Tables, and a query beside them, to folders below the path. */
async function runTables({ destination, flags, connection, query, report, signal }: Work): Promise<void> {
  const { bucket, path } = destination;
  const prefix = path === '' || path.endsWith('/') ? path : `${path}/`;
  const request: ExportTablesRequest = {
    database: flags.database,
    tables: flags.table,
    query,
    splitBy: flags.splitBy,
    connection,
    bucket,
    prefix,
    copyOptions: flags.options,
    jobs: flags.jobs,
    fileSizeBytes: flags.fileSize,
    compression: flags.compression,
    kmsKeyId: flags.kmsKey,
    manifest: flags.manifest,
    ifExists: flags.ifExists,
    onProgress: (state) => report.progress(state),
    onRetry: (key, error) => report.retried(key, error),
    signal,
  };
  const plan = await ExportPlan.open(request);
  try {
    await plan.checkDestination();
    if (flags.dryRun === true) {
      process.stdout.write(
        flags.json === true ? `${JSON.stringify(plan.describe())}\n` : formatPlan(plan.describe()),
      );
      return;
    }
    report.planned(plan);
    const { rows, files, bytes, storedBytes, manifestKey } = await runPlan(plan, request);
    report.done({
      uri: `s3://${bucket}/${prefix}`,
      rows,
      files: files.length,
      bytes,
      storedBytes,
      manifest: manifestKey === undefined ? undefined : `s3://${bucket}/${manifestKey}`,
    });
  } finally {
    await plan[Symbol.asyncDispose]();
  }
}
