import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker, type Job, type WorkerOptions } from 'bullmq';
import { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { BufferMemory, PublishedKeys, SluiceError } from 'sluice';
import { AttemptCleaner } from './attempt-cleaner.ts';
import type { AttemptContext } from './attempt.ts';
import type { ExportJobData } from './export-job.ts';
import type { FleetConfig, SourceConfig } from './fleet-config.ts';
import { FleetClock } from './fleet-clock.ts';
import { exportsQueue, FleetKeys, piecesQueue } from './fleet-names.ts';
import { FleetQueues } from './fleet-queues.ts';
import { Keeper } from './keeper.ts';
import { PieceEvents } from './piece-events.ts';
import { PieceProcessor } from './piece-processor.ts';
import type { PieceJobData } from './piece-task.ts';
import { connectRedis, logRedisErrors, redisOptions, type RedisSettings } from './redis.ts';
import { S3Pool } from './s3-pool.ts';
import { Seal } from './seal.ts';
import { DEFAULT_TIMING, type FleetTiming } from './timing.ts';

/** How long jobs that are broken off may take to clean up after themselves. */
const BREAK_OFF_MS = 30_000;
const CLOSE_MS = 5_000;
const LOOK_MS = 50;
/** Exports and pieces count their own attempts; machines may come and go at any time. */
const MOST_STALLED = 1_000_000;

export interface FleetWorkerOptions {
  config: FleetConfig;
  log: Logger;
  /** @default DEFAULT_TIMING */
  timing?: Partial<FleetTiming> | undefined;
}

interface SourceWorkers {
  keeper: Keeper;
  processor: PieceProcessor;
  events: PieceEvents;
  workers: Worker[];
}

interface Parts {
  redis: Redis;
  queues: FleetQueues;
  s3: S3Pool;
  cleaner: AttemptCleaner;
  stopping: AbortController;
  sources: SourceWorkers[];
  timing: FleetTiming;
  log: Logger;
}

/** One process of a fleet: it keeps snapshots of exports, reads pieces, and cleans up after workers that were lost. */
export class FleetWorker {
  readonly #parts: Parts;
  readonly #sweeping = new AbortController();
  readonly #swept: Promise<void>;
  #stopped: Promise<void> | undefined;

  private constructor(parts: Parts) {
    this.#parts = parts;
    this.#swept = this.#sweep();
  }

  /** @throws SluiceError `config_invalid`, `fleet_unavailable` */
  static async start({ config, log, timing: given }: FleetWorkerOptions): Promise<FleetWorker> {
    const timing = { ...DEFAULT_TIMING, ...given };
    if (config.sources.size === 0) {
      throw new SluiceError('config_invalid', 'the worker has no [sources] in fleet.toml to export from');
    }
    const seal = new Seal(await config.key.read());
    const databases = await readDatabases(config);
    const s3 = await S3Pool.open(config.s3);
    const connection = await redisOptions(config);
    await expectReachable(connection, log);
    const redis = new Redis(connection);
    logRedisErrors(redis, log);
    const keys = new FleetKeys(config.name);
    const context: AttemptContext = { redis, keys, seal, clock: await FleetClock.read(redis) };
    const queues = new FleetQueues({ redis, prefix: config.name, log });
    const publishedKeys = new PublishedKeys();
    const worker = `${hostname()}:${process.pid}`;
    const cleaner = new AttemptCleaner({ context, s3, publishedKeys, timing, log });
    const memory = new BufferMemory({ limitBytes: config.worker.memoryBytes });
    const stopping = new AbortController();
    const sources: SourceWorkers[] = [];
    for (const source of config.sources.values()) {
      const database = databases.get(source.name) ?? '';
      await limitSessions(queues, source);
      const events = new PieceEvents(source.name, { connection, prefix: config.name, log });
      const shared = {
        context,
        database,
        s3,
        timing,
        stopping: stopping.signal,
        log: log.child({ source: source.name }),
      };
      const keeper = new Keeper({ ...shared, source: source.name, queues, events, cleaner, publishedKeys });
      const processor = new PieceProcessor({ ...shared, source: source.name, memory });
      sources.push({
        keeper,
        processor,
        events,
        workers: startWorkers({ source, config, connection, timing, worker, keeper, processor, log }),
      });
    }
    log.info({ worker, sources: [...config.sources.keys()] }, 'the worker is ready');
    return new FleetWorker({ redis, queues, s3, cleaner, stopping, sources, timing, log });
  }

  /**
   * Takes no more jobs, and waits for those that run. What has not ended in time is broken off and handed back: nothing of
   * it is published, and another worker takes it.
   */
  stop({ gracePeriodMs }: { gracePeriodMs: number }): Promise<void> {
    this.#stopped ??= this.#stop(gracePeriodMs);
    return this.#stopped;
  }

  get #running(): number {
    return this.#parts.sources.reduce(
      (sum, { keeper, processor }) => sum + keeper.running + processor.running,
      0,
    );
  }

  async #stop(gracePeriodMs: number): Promise<void> {
    const { redis, queues, s3, stopping, sources, log } = this.#parts;
    const workers = sources.flatMap((source) => source.workers);
    await Promise.all(workers.map((worker) => worker.pause(true)));
    await this.#idle(gracePeriodMs);
    if (this.#running > 0) log.warn({ jobs: this.#running }, 'breaks off what has not ended in time');
    stopping.abort(new SluiceError('export_aborted', 'the worker stops'));
    await this.#idle(BREAK_OFF_MS);
    this.#sweeping.abort(new Error('the worker stops'));
    await within(CLOSE_MS, Promise.all(workers.map((worker) => worker.close(this.#running > 0))));
    await within(
      CLOSE_MS,
      Promise.all([this.#swept, ...sources.map(({ events }) => events.close()), queues.close()]),
    );
    redis.disconnect();
    await s3.close();
    log.info('the worker has stopped');
  }

  async #idle(limitMs: number): Promise<void> {
    const deadline = performance.now() + limitMs;
    while (this.#running > 0 && performance.now() < deadline) await delay(LOOK_MS);
  }

  async #sweep(): Promise<void> {
    const { cleaner, timing, log } = this.#parts;
    const { signal } = this.#sweeping;
    while (!signal.aborted) {
      try {
        await cleaner.sweep(signal);
      } catch (error) {
        if (!signal.aborted) log.warn({ err: error }, 'could not look for what lost workers have left');
      }
      await Promise.allSettled([delay(timing.sweepMs, undefined, { signal, ref: false })]);
    }
  }
}

async function readDatabases({ sources }: FleetConfig): Promise<Map<string, string>> {
  const databases = new Map<string, string>();
  for (const { name, url } of sources.values()) {
    if (url === undefined) {
      throw new SluiceError('config_invalid', `sources.${name}: a worker needs url_env, url_file or url`, {
        hint: 'The connection string of the database, as psql takes it.',
      });
    }
    databases.set(name, await url.read());
  }
  return databases;
}

/** Also warns of what would lose jobs. */
async function expectReachable(options: RedisSettings, log: Logger): Promise<void> {
  const redis = await connectRedis(options, log);
  try {
    const policy = /^maxmemory_policy:(\S+)/m.exec(await redis.info('memory'))?.[1];
    if (policy !== undefined && policy !== 'noeviction') {
      log.warn({ policy }, 'Redis may throw jobs away: set maxmemory-policy to noeviction');
    }
  } finally {
    redis.disconnect();
  }
}

/** Each export keeps one session, each piece has one. */
async function limitSessions(
  queues: FleetQueues,
  { name, maxConnections, maxExports }: SourceConfig,
): Promise<void> {
  const { exports, pieces } = await queues.of(name);
  await exports.setGlobalConcurrency(maxExports);
  await pieces.setGlobalConcurrency(maxConnections - maxExports);
}

interface StartWorkers {
  source: SourceConfig;
  config: FleetConfig;
  connection: RedisSettings;
  timing: FleetTiming;
  worker: string;
  keeper: Keeper;
  processor: PieceProcessor;
  log: Logger;
}

function startWorkers({
  source,
  config,
  connection,
  timing,
  worker: name,
  keeper,
  processor,
  log,
}: StartWorkers): Worker[] {
  const options: WorkerOptions = {
    connection,
    prefix: config.name,
    name,
    lockDuration: timing.lockMs,
    stalledInterval: timing.stalledMs,
    maxStalledCount: MOST_STALLED,
    // After a connection of Redis was lost.
    runRetryDelay: 1_000,
  };
  const exports = new Worker<ExportJobData, string>(
    exportsQueue(source.name),
    (job: Job<ExportJobData>, token) => keeper.process(job, token),
    { ...options, concurrency: config.worker.exports },
  );
  const pieces = new Worker<PieceJobData, string | null>(
    piecesQueue(source.name),
    (job: Job<PieceJobData>, token) => processor.process(job, token),
    { ...options, concurrency: config.worker.jobs },
  );
  pieces.on('lockRenewalFailed', (jobIds) => {
    for (const jobId of jobIds) processor.lose(jobId);
  });
  for (const worker of [exports, pieces]) {
    worker.on('error', (error) => log.warn({ err: error, queue: worker.name }, 'the queue'));
    worker.on('stalled', (jobId) =>
      log.warn({ job: jobId, queue: worker.name }, 'the worker of a job was lost: it is done again'),
    );
  }
  return [exports, pieces];
}

async function within(limitMs: number, work: Promise<unknown>): Promise<void> {
  await Promise.race([Promise.allSettled([work]), delay(limitMs, undefined, { ref: false })]);
}
