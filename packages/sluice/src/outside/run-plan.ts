import { setMaxListeners } from 'node:events';
import type { ExportedFile } from '../exporter/exported-file.ts';
import { publishFiles, undoFiles } from '../exporter/publish.ts';
import { PublishedKeys } from '../exporter/published-keys.ts';
import { SentFile } from '../exporter/sent-file.ts';
import { SmallFile } from '../exporter/small-file.ts';
import { clean } from './destination.ts';
import type { ExportPlan } from './export-plan.ts';
import type { ExportTablesRequest, ExportTablesResult } from './export-tables-request.ts';
import { fileSettings, manifestSettings } from './file-settings.ts';
import { localRunner } from './local-runner.ts';
import { manifestOf } from './manifest.ts';
import type { PieceResult } from './piece-job.ts';
import type { PieceRunner } from './piece-runner.ts';
import { ProgressMeter } from './progress-meter.ts';

/** Objects that are published, or taken back, at a time. */
const PUBLISH_LANES = 16;
const PROGRESS_MS = 100;

interface Run {
  plan: ExportPlan;
  request: ExportTablesRequest;
  runner: PieceRunner;
}

/**
 * Reads all pieces of a plan, then publishes their files, or takes them back.
 *
 * @param runner who does the pieces; by default sessions of this process
 */
export async function runPlan(
  plan: ExportPlan,
  request: ExportTablesRequest,
  runner: PieceRunner = localRunner(request),
): Promise<ExportTablesResult> {
  const meter = new ProgressMeter(
    plan.describe().tables.map(({ files, ...table }) => ({ ...table, pieces: files })),
  );
  const { onProgress } = request;
  const tell = (): void => onProgress?.(meter.state);
  const timer = setInterval(tell, PROGRESS_MS);
  try {
    const results = await readPieces({ plan, request, runner }, meter);
    meter.enter('publishing');
    const exported = await publishAll(plan, request, { results, meter });
    meter.enter('done');
    tell();
    return exported;
  } finally {
    clearInterval(timer);
  }
}

async function readPieces({ plan, request, runner }: Run, meter: ProgressMeter): Promise<PieceResult[]> {
  const { bucket, onRetry, signal } = request;
  const { keeper, compression } = plan;
  const results: PieceResult[] = [];
  // The sessions' snapshot ends with the keeper's transaction.
  const lost = new AbortController();
  keeper.lost.catch((error: unknown) => lost.abort(error));
  try {
    await runner({
      plan,
      settings: { bucket, compression, object: fileSettings(plan, request) },
      meter,
      onDone: (result) => results.push(result),
      onRetry: ({ key }, error) => onRetry?.(key, error),
      signal: manyListeners(signal, lost.signal),
    });
    await keeper.confirm();
    return results.toSorted((a, b) => a.id - b.id);
  } catch (error) {
    const { journal } = request;
    const files = sentFiles(results, plan, request);
    throw await undoFiles(files, error, { journal, undoTimeoutMs: undoTimeoutOf(request) });
  }
}

async function publishAll(
  plan: ExportPlan,
  request: ExportTablesRequest,
  { results, meter }: { results: PieceResult[]; meter: ProgressMeter },
): Promise<ExportTablesResult> {
  const { journal, signal } = request;
  const { manifestKey } = plan;
  // The first is published last, alone.
  const manifest = manifestKey === undefined ? [] : [manifestFile(manifestKey, plan, request, results)];
  const published = await publishFiles([...manifest, ...sentFiles(results, plan, request)], {
    journal,
    signal: manyListeners(signal),
    lanes: PUBLISH_LANES,
    undoTimeoutMs: undoTimeoutOf(request),
    onPublished: ({ key }) => meter.published(key === manifestKey ? 0 : 1),
    confirm: undefined,
  });
  const files = published.slice(manifest.length);
  const own = new Set([...files.map(({ key }) => key), ...(manifestKey === undefined ? [] : [manifestKey])]);
  if (request.ifExists === 'clean') await clean(plan.destination, own);
  return resultOf(files, results, manifestKey);
}

/** One signal of several, which every request in flight may listen to. */
function manyListeners(...signals: (AbortSignal | undefined)[]): AbortSignal {
  const signal = AbortSignal.any(signals.filter((each) => each !== undefined));
  setMaxListeners(0, signal);
  return signal;
}

function resultOf(
  files: readonly ExportedFile[],
  results: readonly PieceResult[],
  manifestKey: string | undefined,
): ExportTablesResult {
  return {
    files,
    rows: results.reduce((sum, { rows }) => sum + rows, 0n),
    bytes: results.reduce((sum, { bytes }) => sum + bytes, 0),
    storedBytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
    manifestKey,
  };
}

function manifestFile(
  key: string,
  plan: ExportPlan,
  request: ExportTablesRequest,
  results: readonly PieceResult[],
): SmallFile {
  const { connection, bucket, publishedKeys: keys = new PublishedKeys() } = request;
  const body = [Buffer.from(manifestOf(plan, { results, bucket }))];
  return new SmallFile(key, body, { connection, bucket, settings: manifestSettings(request), keys });
}

function sentFiles(
  results: readonly PieceResult[],
  plan: ExportPlan,
  request: ExportTablesRequest,
): SentFile[] {
  const { connection, bucket, journal, publishedKeys: keys = new PublishedKeys() } = request;
  const context = { connection, bucket, settings: fileSettings(plan, request), journal, keys };
  return results.flatMap(({ files }) => files.map((file) => new SentFile(file, context)));
}

/** Each of them is taken back by a request or two. */
function undoTimeoutOf({ connection }: ExportTablesRequest): number {
  return 4 * connection.requestTimeoutMs;
}
