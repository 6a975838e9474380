import { setTimeout as delay } from 'node:timers/promises';
import type { Job, Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { pino, type Logger } from 'pino';
import { SluiceError, type ExportState } from 'sluice';
import { describeExport, failureOf } from './describe-export.ts';
import {
  exportJobOptions,
  isSealedRequest,
  sealRequest,
  sealSchedule,
  type ExportJobData,
} from './export-job.ts';
import type { FleetConfig, FleetSchedule } from './fleet-config.ts';
import type { FleetExport, FleetRequest, FleetResult } from './fleet-export.ts';
import { errorOf } from './fleet-failure.ts';
import { exportIdOf, FleetKeys, jobIdOf, newExportId } from './fleet-names.ts';
import { FleetQueues, type SourceQueues } from './fleet-queues.ts';
import { connectRedis, redisOptions } from './redis.ts';
import { checkSchedule } from './schedules/check-schedule.ts';
import { Seal } from './seal.ts';

/** Of each source and state. */
const MOST_LISTED = 1_000;
const STATES = ['active', 'prioritized', 'waiting', 'delayed', 'completed', 'failed'] as const;
const FOLLOW_MS = 500;
/** Before an export that could not be done is begun again. */
const BACKOFF_MS = 5_000;
/** Longer than a job of a failed export is kept. */
const CANCELLED_S = 8 * 24 * 3600;

export interface FleetClientOptions {
  log?: Logger | undefined;
  signal?: AbortSignal | undefined;
}

export interface FleetScheduleState {
  name: string;
  source: string;
  cron: string;
  timeZone: string;
  next: Date | undefined;
}

/** The names of schedules, by what was done with them. */
export interface AppliedSchedules {
  added: string[];
  changed: string[];
  unchanged: string[];
  removed: string[];
}

export interface FleetWorkerState {
  source: string;
  /** `host:pid`. */
  name: string;
  /** What it takes. */
  jobs: 'exports' | 'pieces';
  address: string;
  /** Of its connection to Redis. */
  ageSeconds: number;
}

/** Asks a fleet for exports, and about them. It needs Redis and the fleet's key, but no database and no S3. */
export class FleetClient implements AsyncDisposable {
  readonly #redis: Redis;
  readonly #queues: FleetQueues;
  readonly #keys: FleetKeys;
  readonly #seal: Seal;

  private constructor(parts: { redis: Redis; queues: FleetQueues; keys: FleetKeys; seal: Seal }) {
    this.#redis = parts.redis;
    this.#queues = parts.queues;
    this.#keys = parts.keys;
    this.#seal = parts.seal;
  }

  /** @throws SluiceError `config_invalid`, `fleet_unavailable`; the signal's reason */
  static async connect(
    config: FleetConfig,
    { log = pino({ level: 'silent' }), signal }: FleetClientOptions = {},
  ): Promise<FleetClient> {
    signal?.throwIfAborted();
    const seal = new Seal(await config.key.read());
    const redis = await connectRedis(await redisOptions(config), log);
    const queues = new FleetQueues({ redis, prefix: config.name, log });
    try {
      for (const source of config.sources.keys()) await queues.of(source);
      await queues.all();
      signal?.throwIfAborted();
      return new FleetClient({ redis, queues, keys: new FleetKeys(config.name), seal });
    } catch (error) {
      await queues.close();
      redis.disconnect();
      throw error;
    }
  }

  /**
   * @returns the id of the export
   * @throws SluiceError `invalid_argument`: the prefix or the time zone can't be used
   */
  async submit(request: FleetRequest): Promise<string> {
    const id = newExportId();
    const data = sealRequest(this.#seal, id, request, new Date());
    const { exports } = await this.#queues.of(request.source);
    await exports.add('export', data, { ...exportJobOptions(request, BACKOFF_MS), jobId: id });
    return id;
  }

  /** The newest first: those that wait or run, and those of the last days. */
  async list(): Promise<FleetExport[]> {
    const sources = await this.#queues.all();
    const lists = await Promise.all(sources.map((source) => this.#listOf(source)));
    return lists.flat().toSorted((a, b) => b.submittedAt.getTime() - a.submittedAt.getTime());
  }

  async show(id: string): Promise<FleetExport | undefined> {
    const job = await this.#find(id);
    return job && this.#describe(job);
  }

  /**
   * Waits for an export.
   *
   * @param options.signal ends the following, and not the export
   * @throws the error of the export; SluiceError `invalid_argument`: there is no such export
   */
  async follow(
    id: string,
    { onProgress, signal }: { onProgress?: (state: ExportState) => void; signal?: AbortSignal } = {},
  ): Promise<FleetResult> {
    for (;;) {
      signal?.throwIfAborted();
      const job = await this.#find(id);
      const now = job && (await this.#describe(job));
      if (job === undefined || now === undefined) throw noSuchExport(id);
      if (now.progress !== undefined) onProgress?.(now.progress);
      if (now.result !== undefined) return now.result;
      if (now.state === 'failed' || now.state === 'cancelled') throw this.#errorOf(job);
      await delay(FOLLOW_MS, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
    }
  }

  /**
   * Cancels an export that waits or runs: nothing of it is published then. One that is about to be published may still
   * succeed.
   *
   * @returns false when there is no such export, or it has ended
   */
  async cancel(id: string): Promise<boolean> {
    const job = await this.#find(id);
    if (job === undefined || job.finishedOn !== undefined) return false;
    await this.#redis.set(this.#keys.cancelled(id), '1', 'EX', CANCELLED_S);
    return true;
  }

  /** No worker takes another job of the source, or of any; what runs goes on. */
  async pause(source?: string): Promise<void> {
    for (const { exports, pieces } of await this.#named(source)) {
      await exports.pause();
      await pieces.pause();
    }
  }

  async resume(source?: string): Promise<void> {
    for (const { exports, pieces } of await this.#named(source)) {
      await pieces.resume();
      await exports.resume();
    }
  }

  /**
   * Makes the fleet's schedules these: others are removed. Exports that they have begun go on.
   *
   * @throws SluiceError `config_invalid`: one of them can't be used, and nothing was changed
   */
  async applySchedules(schedules: readonly FleetSchedule[]): Promise<AppliedSchedules> {
    for (const schedule of schedules) checkSchedule(schedule);
    const changes: AppliedSchedules = { added: [], changed: [], unchanged: [], removed: [] };
    for (const schedule of schedules) changes[await this.#apply(schedule)].push(schedule.name);
    const kept = new Map(schedules.map(({ name, request }) => [name, request.source]));
    for (const { source, name } of await this.schedules()) {
      if (kept.get(name) === source) continue;
      const { exports } = await this.#queues.of(source);
      await exports.removeJobScheduler(name);
      if (!kept.has(name)) changes.removed.push(name);
    }
    return changes;
  }

  async #apply(schedule: FleetSchedule): Promise<'added' | 'changed' | 'unchanged'> {
    const { name, cron, timeZone, request } = schedule;
    const { exports } = await this.#queues.of(request.source);
    const known = await exports.getJobScheduler(name);
    await exports.upsertJobScheduler(
      name,
      { pattern: cron, tz: timeZone },
      {
        name: 'export',
        data: sealSchedule(this.#seal, name, { ...request, timeZone }),
        opts: exportJobOptions(request, BACKOFF_MS),
      },
    );
    if (known === undefined) return 'added';
    const isSame =
      known.pattern === cron &&
      known.tz === timeZone &&
      isSealedRequest(this.#seal, schedule, known.template?.data);
    return isSame ? 'unchanged' : 'changed';
  }

  async schedules(): Promise<FleetScheduleState[]> {
    const sources = await this.#queues.all();
    const lists = await Promise.all(
      sources.map(async ({ source, exports }) =>
        (await exports.getJobSchedulers()).map(({ key, pattern = '', tz = 'UTC', next }) => ({
          name: key,
          source,
          cron: pattern,
          timeZone: tz,
          next: next === undefined ? undefined : new Date(next),
        })),
      ),
    );
    return lists.flat().toSorted((a, b) => a.name.localeCompare(b.name));
  }

  /** The workers that are connected to Redis now. */
  async workers(): Promise<FleetWorkerState[]> {
    const sources = await this.#queues.all();
    const lists = await Promise.all(
      sources.flatMap(({ source, exports, pieces }) =>
        [exports, pieces].map(async (queue) =>
          (await queue.getWorkers()).map((client) => ({
            source,
            name: /:w:(.*)$/.exec(client['rawname'] ?? '')?.[1] ?? 'unknown',
            jobs: queue === exports ? ('exports' as const) : ('pieces' as const),
            address: client['addr'] ?? '',
            ageSeconds: Number(client['age'] ?? 0),
          })),
        ),
      ),
    );
    return lists.flat();
  }

  /** Of all sources, for the dashboard. They are closed with the client. */
  queues(): Queue[] {
    return this.#queues.open.flatMap(({ exports, pieces }) => [exports, pieces]);
  }

  async close(): Promise<void> {
    await this.#queues.close();
    this.#redis.disconnect();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #named(source: string | undefined): Promise<SourceQueues[]> {
    if (source === undefined) return this.#queues.all();
    const found = (await this.#queues.all()).filter((each) => each.source === source);
    if (found.length > 0) return found;
    throw new SluiceError('invalid_argument', `the fleet has no source ${JSON.stringify(source)}`);
  }

  async #listOf({ exports }: SourceQueues): Promise<FleetExport[]> {
    const lists = await Promise.all(
      STATES.map(async (state) => {
        const jobs: (Job<ExportJobData> | undefined)[] = await exports.getJobs(state, 0, MOST_LISTED - 1);
        // BullMQ gives undefined for one that was removed meanwhile.
        return jobs.filter((job) => job !== undefined).map((job) => ({ job, isActive: state === 'active' }));
      }),
    );
    // One that has changed its state between two questions is in both answers.
    const found = new Map(lists.flat().map((each) => [each.job.id, each]));
    // What a schedule will do next is no export yet.
    const begun = [...found.values()].filter(({ job }) => !isNotDue(job));
    return Promise.all(
      begun.map(async ({ job, isActive }) =>
        describeExport(this.#seal, job, { isActive, isCancelled: await this.#isCancelled(job) }),
      ),
    );
  }

  async #find(id: string): Promise<Job<ExportJobData> | undefined> {
    for (const { exports } of await this.#queues.all()) {
      const job: Job<ExportJobData> | undefined = await exports.getJob(jobIdOf(id));
      if (job !== undefined) return job;
    }
    return undefined;
  }

  async #describe(job: Job<ExportJobData>): Promise<FleetExport> {
    const isActive = job.finishedOn === undefined && (await job.isActive());
    return describeExport(this.#seal, job, { isActive, isCancelled: await this.#isCancelled(job) });
  }

  async #isCancelled(job: Job): Promise<boolean> {
    if (job.finishedOn !== undefined) return false;
    return (await this.#redis.exists(this.#keys.cancelled(exportIdOf(job.id ?? '')))) === 1;
  }

  #errorOf(job: Job<ExportJobData>): Error {
    const failure = job.finishedOn === undefined ? undefined : failureOf(this.#seal, job);
    if (failure !== undefined) return errorOf(failure);
    return new SluiceError('export_aborted', 'the export was cancelled');
  }
}

function isNotDue({ repeatJobKey, attemptsStarted, opts: { prevMillis = 0 } }: Job): boolean {
  return repeatJobKey !== undefined && attemptsStarted === 0 && prevMillis > Date.now();
}

function noSuchExport(id: string): SluiceError {
  return new SluiceError('invalid_argument', `the fleet has no export ${JSON.stringify(id)}`, {
    hint: 'sluice fleet status lists them; those that have ended are kept for 7 days.',
  });
}
