import { setMaxListeners } from 'node:events';
import type { Job } from 'bullmq';
import type { Logger } from 'pino';
import {
  isSluiceError,
  SluiceError,
  type ExportState,
  type ExportTablesRequest,
  type PublishedKeys,
} from 'sluice';
import { ExportPlan, runPlan, type PieceResult, type PieceRunner } from 'sluice/engine';
import type { Attempt, AttemptContext } from './attempt.ts';
import type { AttemptCleaner } from './attempt-cleaner.ts';
import { AttemptPieces } from './attempt-pieces.ts';
import {
  attemptsOf,
  openRequest,
  readResult,
  sealResult,
  type ExportJobData,
  type OpenedRequest,
} from './export-job.ts';
import type { FleetResult } from './fleet-export.ts';
import { exportIdOf, newAttempt } from './fleet-names.ts';
import type { FleetQueues } from './fleet-queues.ts';
import { finishJob } from './finish-job.ts';
import { exportCancelled, Lease } from './lease.ts';
import { MemberJournal } from './member-journal.ts';
import type { PieceEvents } from './piece-events.ts';
import type { S3Pool } from './s3-pool.ts';
import { renderPrefix } from './schedules/render-prefix.ts';
import type { FleetTiming } from './timing.ts';

const PROGRESS_MS = 1_000;
/** So many tables more make it told more seldom. */
const TABLES_PER_PROGRESS = 100;
const DEFAULT_PRIORITY = 100;

export interface KeeperOptions {
  context: AttemptContext;
  source: string;
  /** The connection string of the source. */
  database: string;
  queues: FleetQueues;
  events: PieceEvents;
  s3: S3Pool;
  cleaner: AttemptCleaner;
  publishedKeys: PublishedKeys;
  timing: FleetTiming;
  /** Aborted when this process stops. */
  stopping: AbortSignal;
  log: Logger;
}

/** Keeps the snapshot of exports while workers read their pieces, and publishes them. */
export class Keeper {
  readonly #options: KeeperOptions;
  #running = 0;

  constructor(options: KeeperOptions) {
    this.#options = options;
  }

  get running(): number {
    return this.#running;
  }

  /** @returns the sealed result */
  async process(job: Job<ExportJobData>, token: string | undefined): Promise<string> {
    const { context, stopping } = this.#options;
    const jobId = job.id ?? '';
    const exportId = exportIdOf(jobId);
    const log = this.#options.log.child({ export: exportId });
    this.#running += 1;
    try {
      return await finishJob(
        { job, token, seal: context.seal, context: [exportId], stopping, log },
        async () => {
          const request = openRequest(context.seal, jobId, this.#options.source, job.data);
          return (
            (await this.#publishedResult(jobId)) ??
            (await this.#begin({ job, jobId, exportId, request, log }))
          );
        },
      );
    } finally {
      this.#running -= 1;
    }
  }

  async #begin(run: Run): Promise<string> {
    const { context, s3, timing, stopping } = this.#options;
    const { job, jobId, exportId, request, log } = run;
    const lost = job.stalledCounter + job.attemptsMade;
    if (lost > attemptsOf(request)) throw lostTooOften(lost);
    const { prefix: template, timeZone = 'UTC', bucket } = request;
    const prefix = renderPrefix(template, { dueAt: request.due, timeZone, id: exportId });
    const { region } = await s3.forRegion(request.region);
    const attempt: Attempt = { token: newAttempt(), exportId, bucket, prefix };
    for (;;) {
      stopping.throwIfAborted();
      // The worker that has it may publish it yet.
      const published = await this.#publishedResult(jobId);
      if (published !== undefined) return published;
      if ((await context.redis.exists(context.keys.cancelled(exportId))) === 1) throw exportCancelled();
      const lease = await Lease.take({ ...context, attempt, timing, log });
      if (lease === undefined) {
        await Lease.pause(stopping);
        continue;
      }
      log.info({ attempt: attempt.token, lost }, 'begun');
      const signal = AbortSignal.any([lease.signal, stopping]);
      setMaxListeners(0, signal);
      try {
        return await this.#export(run, { attempt, region, signal, lost: lease.lost });
      } catch (error) {
        throw asRetryable(error);
      } finally {
        await lease.end();
        await this.#cleanUp(attempt, log);
      }
    }
  }

  async #export(run: Run, { attempt, region, signal, lost }: Held): Promise<string> {
    const { context, database, s3, cleaner, publishedKeys } = this.#options;
    const { job, jobId, exportId, request, log } = run;
    // What an earlier attempt has published must not be in the way, nor be taken for what this one will.
    await cleaner.untilClear(attempt, signal);
    let result: FleetResult | undefined;
    const journal = new MemberJournal({
      context,
      attempt,
      region,
      lost,
      result: () => {
        if (result === undefined)
          throw new SluiceError('internal', 'an export is published that was not read');
        return sealResult(context.seal, jobId, attempt.token, result);
      },
    });
    const tell = progressTeller(job, log);
    const { bucket, prefix } = attempt;
    const exported: ExportTablesRequest = {
      database,
      connection: await s3.forRegion(region),
      bucket,
      prefix,
      tables: request.tables,
      query: request.query,
      splitBy: request.splitBy,
      copyOptions: request.copyOptions,
      fileSizeBytes: request.fileSizeBytes,
      compression: request.compression,
      headerIn: request.headerIn,
      kmsKeyId: request.kmsKeyId,
      storageClass: request.storageClass,
      tags: request.tags,
      metadata: request.metadata,
      manifest: request.manifest,
      ifExists: request.ifExists,
      journal,
      publishedKeys,
      onProgress: tell,
      signal,
    };
    await using plan = await ExportPlan.open(exported);
    await plan.checkDestination();
    log.info({ tables: plan.tables.length, pieces: plan.jobs.length }, 'cut into pieces');
    const runner: PieceRunner = async (work) => {
      const results: PieceResult[] = [];
      const { source, queues, events, timing } = this.#options;
      const { pieces: queue } = await queues.of(source);
      const { priority = DEFAULT_PRIORITY } = request;
      await AttemptPieces.run(
        {
          source,
          queue,
          events,
          seal: context.seal,
          exportId,
          attempt: attempt.token,
          region,
          priority,
          timing,
          log,
        },
        {
          ...work,
          onDone: (piece) => {
            results.push(piece);
            work.onDone(piece);
          },
        },
      );
      result = resultOf(
        results,
        plan.manifestKey === undefined ? undefined : `s3://${bucket}/${plan.manifestKey}`,
      );
    };
    await runPlan(plan, exported, runner);
    if (result === undefined) throw new SluiceError('internal', 'an export has ended without a result');
    log.info({ ...result, rows: String(result.rows) }, 'published');
    return sealResult(context.seal, jobId, attempt.token, result);
  }

  /** Of an export that is published already: its worker was lost just then. */
  async #publishedResult(jobId: string): Promise<string | undefined> {
    const { redis, keys, seal } = this.#options.context;
    const sealed = await redis.get(keys.published(exportIdOf(jobId)));
    return sealed !== null && readResult(seal, jobId, sealed) !== undefined ? sealed : undefined;
  }

  /** What is left is done by whichever worker looks next. */
  async #cleanUp(attempt: Attempt, log: Logger): Promise<void> {
    try {
      await this.#options.cleaner.clean(attempt, AbortSignal.timeout(CLEAN_UP_MS));
    } catch (error) {
      log.warn({ err: error }, 'could not yet clean up after an export');
    }
  }
}

const CLEAN_UP_MS = 30_000;

interface Run {
  job: Job<ExportJobData>;
  jobId: string;
  exportId: string;
  request: OpenedRequest;
  log: Logger;
}

interface Held {
  attempt: Attempt;
  region: string;
  signal: AbortSignal;
  /** Aborted when another attempt may have the export. */
  lost: AbortSignal;
}

function resultOf(results: readonly PieceResult[], manifestUrl: string | undefined): FleetResult {
  const files = results.flatMap((result) => result.files);
  return {
    files: files.length,
    rows: results.reduce((sum, { rows }) => sum + rows, 0n),
    bytes: results.reduce((sum, { bytes }) => sum + bytes, 0),
    storedBytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
    manifestUrl,
  };
}

/** Tells Redis how far an export is, no more often than that is worth. */
function progressTeller(job: Job<ExportJobData>, log: Logger): (state: ExportState) => void {
  let toldAt = 0;
  let isTelling = false;
  return (state) => {
    const pauseMs = PROGRESS_MS * Math.max(1, state.tables.length / TABLES_PER_PROGRESS);
    const now = performance.now();
    if (isTelling || (now - toldAt < pauseMs && state.phase !== 'done')) return;
    toldAt = now;
    isTelling = true;
    job
      .updateProgress(state)
      .catch((error: unknown) => log.debug({ err: error }, 'could not tell how far an export is'))
      .finally(() => {
        isTelling = false;
      });
  };
}

/** The snapshot went with its session, or the server: another attempt takes another. */
function asRetryable(error: unknown): unknown {
  if (!isSluiceError(error) || error.code !== 'snapshot_lost' || error.retryable) return error;
  const { code, message, detail, hint } = error;
  return new SluiceError(code, message, { detail, hint, retryable: true, cause: error });
}

function lostTooOften(lost: number): SluiceError {
  return new SluiceError(
    'fleet_unavailable',
    `the export was begun ${lost} times, and each worker was lost`,
    {
      hint: 'Look at the logs of the workers: are they killed, or out of memory? More attempts may be given.',
    },
  );
}
