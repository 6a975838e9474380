import { setTimeout as delay } from 'node:timers/promises';
import type { Job, Queue } from 'bullmq';
import type { Logger } from 'pino';
import { isSluiceError, SluiceError } from 'sluice';
import type { PieceJob, PieceMeter, PieceResult, PieceWork } from 'sluice/engine';
import { openFailure } from './export-job.ts';
import { errorOf } from './fleet-failure.ts';
import { pieceJobId } from './fleet-names.ts';
import type { PieceEvent, PieceEvents } from './piece-events.ts';
import {
  contextOf,
  openPieceResult,
  parsePieceProgress,
  sealTask,
  type PieceJobData,
  type PieceOwner,
} from './piece-task.ts';
import type { Seal } from './seal.ts';
import type { FleetTiming } from './timing.ts';

/** Jobs of one export in its queue at a time: many more than sessions, few enough to look at all of them. */
const MOST_QUEUED = 500;
/** How often a piece is read when its session is lost. */
const ATTEMPTS = 3;
/** How often a piece is asked for again when its job is gone, or its answer is not one of the fleet. */
const MOST_LOSSES = 5;
const KEPT = { age: 7 * 24 * 3600, count: 2_000 };
/** Removing what waits is a courtesy: its workers would find the attempt over. */
const REMOVE_TIMEOUT_MS = 5_000;
/** As SnapshotKeeper: a lock on each of so many is little beside what a server has room for. */
const MOST_LOCKED = 100;

export interface AttemptPiecesOptions {
  source: string;
  queue: Queue;
  events: PieceEvents;
  seal: Seal;
  exportId: string;
  attempt: string;
  /** Of the bucket. */
  region: string;
  priority: number;
  timing: Pick<FleetTiming, 'lookMs' | 'retryMs'>;
  log: Logger;
}

interface Queued {
  piece: PieceJob;
  /** Of the worker that reads it now. */
  meter: PieceMeter | undefined;
  losses: number;
  isBeingTaken: boolean;
}

/** The pieces of one attempt at an export, done by the workers of the fleet. */
export class AttemptPieces {
  readonly #options: AttemptPiecesOptions;
  readonly #work: PieceWork;
  /** The largest last. */
  readonly #waiting: PieceJob[];
  readonly #queued = new Map<string, Queued>();
  readonly #over = new AbortController();
  #isFilling = false;

  private constructor(options: AttemptPiecesOptions, work: PieceWork) {
    this.#options = options;
    this.#work = work;
    this.#waiting = work.plan.jobs.toSorted((a, b) => a.estimatedBytes - b.estimatedBytes);
  }

  /** As PieceRunner. */
  static async run(options: AttemptPiecesOptions, work: PieceWork): Promise<void> {
    const pieces = new AttemptPieces(options, work);
    const { events, exportId, attempt, timing } = options;
    const stopListening = events.listen(exportId, attempt, (jobId, event) => pieces.#hear(jobId, event));
    const timer = setInterval(() => void pieces.#lookAtAll(), timing.lookMs);
    try {
      await pieces.#done();
    } finally {
      clearInterval(timer);
      stopListening();
      await pieces.#removeQueued();
    }
  }

  async #done(): Promise<void> {
    const { signal } = this.#work;
    const ended = new Promise<void>((resolve, reject) => {
      this.#over.signal.addEventListener('abort', () => {
        const reason: unknown = this.#over.signal.reason;
        if (reason === ALL_DONE) resolve();
        else reject(reason instanceof Error ? reason : new Error(String(reason)));
      });
    });
    const abort = (): void => this.#over.abort(signal.reason);
    signal.addEventListener('abort', abort);
    try {
      if (signal.aborted) abort();
      void this.#fill();
      await ended;
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  /** Puts pieces into the queue, as long as there is room. */
  async #fill(): Promise<void> {
    if (this.#isFilling || this.#over.signal.aborted) return;
    this.#isFilling = true;
    try {
      while (this.#waiting.length > 0 && this.#queued.size < MOST_QUEUED && !this.#over.signal.aborted) {
        const batch = this.#waiting.splice(-(MOST_QUEUED - this.#queued.size)).toReversed();
        for (const piece of batch) {
          this.#queued.set(this.#idOf(piece), { piece, meter: undefined, losses: 0, isBeingTaken: false });
        }
        await this.#options.queue.addBulk(batch.map((piece) => this.#jobOf(piece)));
      }
      if (this.#waiting.length + this.#queued.size === 0) this.#over.abort(ALL_DONE);
    } catch (error) {
      this.#over.abort(error);
    } finally {
      this.#isFilling = false;
    }
  }

  #hear(jobId: string, event: PieceEvent): void {
    const queued = this.#queued.get(jobId);
    if (queued === undefined || this.#over.signal.aborted) return;
    switch (event.is) {
      case 'active':
        this.#begin(queued);
        return;
      case 'progress': {
        const progress = parsePieceProgress(event.progress);
        if (progress !== undefined) this.#begin(queued).count(progress);
        return;
      }
      case 'waiting':
        queued.meter?.failed();
        queued.meter = undefined;
        return;
      case 'ended':
        void this.#look(jobId, queued);
        return;
      default:
        event satisfies never;
    }
  }

  #begin(queued: Queued): PieceMeter {
    queued.meter ??= this.#work.meter.begin(queued.piece.table, queued.piece.estimatedBytes);
    return queued.meter;
  }

  async #lookAtAll(): Promise<void> {
    await Promise.all([...this.#queued].map(([jobId, queued]) => this.#look(jobId, queued)));
  }

  /** Takes the result of a piece, if it has one. */
  async #look(jobId: string, queued: Queued): Promise<void> {
    if (queued.isBeingTaken) return;
    queued.isBeingTaken = true;
    try {
      const job: Job<PieceJobData> | undefined = await this.#options.queue.getJob(jobId);
      if (this.#over.signal.aborted || this.#queued.get(jobId) !== queued) return;
      if (job === undefined) await this.#askAgain(jobId, queued, 'gone');
      else if (job.finishedOn !== undefined) await this.#take(jobId, queued, job);
    } catch (error) {
      this.#over.abort(error);
    } finally {
      queued.isBeingTaken = false;
    }
  }

  async #take(jobId: string, queued: Queued, job: Job<PieceJobData>): Promise<void> {
    const result = this.#resultOf(queued.piece, job);
    if (result === undefined) {
      const failure = this.#failureOf(queued.piece, job);
      if (failure !== undefined) throw failure;
      await this.#askAgain(jobId, queued, 'not answered by this fleet');
      return;
    }
    this.#queued.delete(jobId);
    const meter = this.#begin(queued);
    meter.count({
      rows: Number(result.rows),
      bytes: result.bytes,
      storedBytes: result.files.reduce((sum, { bytes }) => sum + bytes, 0),
    });
    meter.done();
    this.#work.onDone(result);
    await this.#fill();
  }

  #resultOf(piece: PieceJob, { returnvalue }: Job<PieceJobData>): PieceResult | undefined {
    if (typeof returnvalue !== 'string') return undefined;
    try {
      return openPieceResult(this.#options.seal, this.#ownerOf(piece), returnvalue);
    } catch (error) {
      this.#logForged(piece, error);
      return undefined;
    }
  }

  #failureOf(piece: PieceJob, { data: { failure }, failedReason }: Job<PieceJobData>): Error | undefined {
    if (!failedReason) return undefined;
    try {
      return errorOf(openFailure(this.#options.seal, contextOf(this.#ownerOf(piece)), failure));
    } catch (error) {
      this.#logForged(piece, error);
      return undefined;
    }
  }

  #logForged({ key }: PieceJob, error: unknown): void {
    if (!isSluiceError(error)) throw error;
    const { log, exportId } = this.#options;
    log.error({ err: error, export: exportId, key }, 'refused what no worker of this fleet has answered');
  }

  async #askAgain(jobId: string, queued: Queued, what: string): Promise<void> {
    const { queue, log, exportId } = this.#options;
    const { piece } = queued;
    queued.losses += 1;
    if (queued.losses > MOST_LOSSES) {
      throw new SluiceError('internal', 'a part of the export is lost in Redis again and again', {
        detail: `Its job is ${what}.`,
        hint: 'Who else uses this Redis? Does it keep all keys (maxmemory-policy noeviction)?',
      });
    }
    log.warn({ export: exportId, key: piece.key, job: what }, 'a part of the export is asked for again');
    queued.meter?.failed();
    queued.meter = undefined;
    await queue.remove(jobId);
    const { name, data, opts } = this.#jobOf(piece);
    await queue.add(name, data, opts);
  }

  async #removeQueued(): Promise<void> {
    const { queue, log } = this.#options;
    const removed = Promise.all([...this.#queued.keys()].map((jobId) => queue.remove(jobId))).catch(
      (error: unknown) => log.debug({ err: error }, 'jobs of pieces are left'),
    );
    await Promise.race([removed, delay(REMOVE_TIMEOUT_MS, undefined, { ref: false })]);
  }

  #jobOf(piece: PieceJob) {
    const { seal, source, region, priority, timing } = this.#options;
    const { plan, settings } = this.#work;
    const planned = plan.tables[piece.table];
    const { id, serverVersion } = plan.keeper.snapshot;
    const owner = this.#ownerOf(piece);
    const table = planned?.table;
    // The columns stand in the statement.
    const tables =
      table === undefined || table.relations.length > MOST_LOCKED ? [] : [{ ...table, columns: [] }];
    const task = sealTask(seal, source, owner, {
      job: piece,
      settings,
      snapshot: { id, serverVersion },
      tables,
      region,
    });
    const data: PieceJobData = {
      ...owner,
      table: planned?.name ?? '',
      key: piece.key,
      estimatedBytes: piece.estimatedBytes,
      task,
    };
    return {
      name: 'piece',
      data,
      opts: {
        jobId: this.#idOf(piece),
        priority,
        attempts: ATTEMPTS,
        backoff: { type: 'exponential', delay: timing.retryMs },
        removeOnComplete: KEPT,
        removeOnFail: KEPT,
        stackTraceLimit: 0,
      },
    };
  }

  #ownerOf({ id }: PieceJob): PieceOwner {
    return { export: this.#options.exportId, attempt: this.#options.attempt, piece: id };
  }

  #idOf({ id }: PieceJob): string {
    return pieceJobId(this.#options.exportId, this.#options.attempt, id);
  }
}

const ALL_DONE = new Error('all pieces are done');
