import { setMaxListeners } from 'node:events';
import type { Job } from 'bullmq';
import type { Logger } from 'pino';
import { connectTo, type BufferMemory } from 'sluice';
import { disconnect, joinSnapshot, SnapshotReader, steadyNow, type PieceMeter } from 'sluice/engine';
import { attemptOver, isAlive, type AttemptContext } from './attempt.ts';
import { finishJob } from './finish-job.ts';
import { MemberJournal } from './member-journal.ts';
import { contextOf, openTask, sealPieceResult, type PieceJobData, type PieceProgress } from './piece-task.ts';
import type { S3Pool } from './s3-pool.ts';
import type { FleetTiming } from './timing.ts';

const PROGRESS_MS = 1_000;

export interface PieceProcessorOptions {
  context: AttemptContext;
  /** Its name. */
  source: string;
  /** The connection string of the source. */
  database: string;
  s3: S3Pool;
  memory: BufferMemory;
  timing: FleetTiming;
  /** Aborted when this process stops. */
  stopping: AbortSignal;
  log: Logger;
}

/** Reads pieces of exports whose snapshot some worker keeps, and leaves their uploads open. */
export class PieceProcessor {
  readonly #options: PieceProcessorOptions;
  /** A job may be here twice: taken again while the first time, whose lock was lost, still ends. */
  readonly #running = new Set<{ jobId: string; ending: AbortController }>();

  constructor(options: PieceProcessorOptions) {
    this.#options = options;
  }

  get running(): number {
    return this.#running.size;
  }

  /** The lock of a job was lost: another worker may have it by now. */
  lose(jobId: string): void {
    for (const running of this.#running) if (running.jobId === jobId) running.ending.abort(attemptOver());
  }

  /** @returns the sealed result; null when its attempt is over */
  async process(job: Job<PieceJobData>, token: string | undefined): Promise<string | null> {
    const { context, source, stopping } = this.#options;
    // Whoever reaches Redis may have put anything there.
    const data: Partial<PieceJobData> = job.data ?? {};
    const { export: exportId = '', attempt = '', piece = 0, key } = data;
    const log = this.#options.log.child({ export: exportId, piece, key });
    const ending = new AbortController();
    const running = { jobId: job.id ?? '', ending };
    this.#running.add(running);
    const signal = AbortSignal.any([ending.signal, stopping]);
    setMaxListeners(0, signal);
    try {
      return await finishJob(
        {
          job,
          token,
          seal: context.seal,
          context: contextOf({ export: exportId, attempt, piece }),
          stopping,
          log,
        },
        async () => {
          const task = openTask(context.seal, source, job.id, job.data);
          if (!(await isAlive(context, { exportId, token: attempt }))) return null;
          const watch = this.#watch({ exportId, token: attempt }, ending);
          try {
            return await this.#read(job, task, signal);
          } finally {
            clearInterval(watch);
          }
        },
      );
    } finally {
      this.#running.delete(running);
    }
  }

  async #read(
    job: Job<PieceJobData>,
    task: ReturnType<typeof openTask>,
    signal: AbortSignal,
  ): Promise<string> {
    const { context, database, s3, memory } = this.#options;
    const { export: exportId, attempt } = job.data;
    const connection = await s3.forRegion(task.region);
    const client = await connectTo({ connectionString: database, signal });
    const meter = new JobMeter(job);
    try {
      await joinSnapshot(client, task.snapshot, { tables: task.tables, signal });
      const reader = new SnapshotReader({
        client,
        settings: task.settings,
        connection,
        memory,
        journal: new MemberJournal({ context, attempt: { exportId, token: attempt }, region: task.region }),
        meter: () => meter,
      });
      const result = await reader.read(task.job, signal);
      return sealPieceResult(context.seal, job.data, result);
    } finally {
      meter.stop();
      await disconnect(client);
    }
  }

  /** Ends a piece whose attempt is over, or not to be asked about for too long. */
  #watch(attempt: { exportId: string; token: string }, ending: AbortController): NodeJS.Timeout {
    const { context, timing } = this.#options;
    let aliveAt = steadyNow();
    let isAsking = false;
    const look = async (): Promise<void> => {
      if (steadyNow() - aliveAt > timing.giveUpMs) ending.abort(attemptOver());
      if (isAsking) return;
      isAsking = true;
      const askedAt = steadyNow();
      try {
        if (await isAlive(context, attempt)) aliveAt = askedAt;
        else ending.abort(attemptOver());
      } finally {
        isAsking = false;
      }
    };
    return setInterval(() => void look().catch(() => undefined), timing.checkMs);
  }
}

/** Tells Redis how far a piece is. */
class JobMeter implements PieceMeter {
  readonly #job: Job<PieceJobData>;
  readonly #timer: NodeJS.Timeout;
  readonly #progress: PieceProgress = { rows: 0, bytes: 0, storedBytes: 0 };
  #told: PieceProgress = { ...this.#progress };
  #isTelling = false;

  constructor(job: Job<PieceJobData>) {
    this.#job = job;
    this.#timer = setInterval(() => void this.#tell(), PROGRESS_MS);
  }

  count(done: Partial<PieceProgress>): void {
    Object.assign(this.#progress, done);
  }

  /** The result tells. */
  done(): void {
    this.stop();
  }

  failed(): void {
    this.stop();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  async #tell(): Promise<void> {
    const { rows, bytes, storedBytes } = this.#progress;
    const isTold = bytes === this.#told.bytes && storedBytes === this.#told.storedBytes;
    if (this.#isTelling || isTold) return;
    this.#isTelling = true;
    this.#told = { rows, bytes, storedBytes };
    // The next one tells more.
    await this.#job.updateProgress({ ...this.#told }).catch(() => undefined);
    this.#isTelling = false;
  }
}
