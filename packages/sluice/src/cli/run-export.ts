import { BufferMemory } from '../exporter/buffer-memory.ts';
import { clean, requireEmpty } from '../outside/destination.ts';
import { ExportPlan } from '../outside/export-plan.ts';
import type { ExportTablesRequest } from '../outside/export-tables-request.ts';
import { ProgressMeter } from '../outside/progress-meter.ts';
import { runPlan } from '../outside/run-plan.ts';
import type { S3Connection } from '../s3/connection.ts';
import { exportQuery } from '../source/export-query.ts';
import { connectAsAwsCli } from './aws-settings.ts';
import { dryRunExport } from './dry-run-export.ts';
import { isOneFile, prefixOf, type Destination } from './export-destination.ts';
import type { ExportFlags } from './export.ts';
import { ExportReport } from './export-report.ts';
import { Interruption } from './interruption.ts';
import { readQuery } from './read-query.ts';
import { storageSettings } from './storage-settings.ts';

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
    const query = flags.query === undefined ? undefined : await readQuery(flags.query, { signal });
    await run({ destination, flags, connection, query, report, signal });
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

async function run(work: Work): Promise<void> {
  const { destination, flags, query } = work;
  const oneKey = isOneFile(destination, flags) ? destination.path : undefined;
  if (flags.dryRun === true) await dryRunExport(tablesRequest(work), { oneKey, isJson: flags.json });
  else if (oneKey === undefined || query === undefined) await runTables(work);
  else await runQuery(work, { query, key: oneKey });
}

/** One query to the path as it is given. */
async function runQuery(
  { destination, flags, connection, report, signal }: Work,
  { query, key }: { query: string; key: string },
): Promise<void> {
  const { bucket } = destination;
  const { database = '', options, fileSize, compression, ifExists } = flags;
  const place = { connection, bucket, prefixes: [key], signal };
  if (ifExists === 'fail') await requireEmpty(place);
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
      ...storageSettings(flags),
      compression,
      contentEncoding: compression,
      onProgress: ({ rows: soFar, bytesRead, bytesStored }) =>
        piece.count({ rows: soFar, bytes: bytesRead, storedBytes: bytesStored }),
      signal,
    });
    if (ifExists === 'clean') await clean(place, new Set(files.map((file) => file.key)));
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
async function runTables(work: Work): Promise<void> {
  const { report } = work;
  const request = tablesRequest(work);
  const plan = await ExportPlan.open(request);
  try {
    await plan.checkDestination();
    report.planned(plan);
    const { rows, files, bytes, storedBytes, manifestKey } = await runPlan(plan, request);
    report.done({
      uri: `s3://${request.bucket}/${request.prefix}`,
      rows,
      files: files.length,
      bytes,
      storedBytes,
      manifest: manifestKey === undefined ? undefined : `s3://${request.bucket}/${manifestKey}`,
    });
  } finally {
    await plan[Symbol.asyncDispose]();
  }
}

function tablesRequest({ destination, flags, connection, query, report, signal }: Work): ExportTablesRequest {
  const { bucket, path } = destination;
  return {
    database: flags.database,
    tables: flags.table,
    query,
    splitBy: flags.splitBy,
    connection,
    bucket,
    prefix: prefixOf(path),
    copyOptions: flags.options,
    headerIn: flags.headerIn,
    jobs: flags.jobs,
    fileSizeBytes: flags.fileSize,
    memory: flags.memory === undefined ? undefined : new BufferMemory({ limitBytes: flags.memory }),
    compression: flags.compression,
    ...storageSettings(flags),
    manifest: flags.manifest,
    ifExists: flags.ifExists,
    onProgress: (state) => report.progress(state),
    onRetry: (key, error) => report.retried(key, error),
    signal,
  };
}
