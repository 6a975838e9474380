import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import {
  abortMultipartUpload,
  isSluiceError,
  SluiceError,
  type PublishedKeys,
  type PublishedObject,
} from 'sluice';
import { findMultipartUploads, inLanes, searchSpan, steadyNow, unpublish } from 'sluice/engine';
import { isAlive, knownAttempts, type Attempt, type AttemptContext } from './attempt.ts';
import { AttemptJournal } from './attempt-journal.ts';
import { readResult } from './export-job.ts';
import { jobIdOf, newAttempt } from './fleet-names.ts';
import { HeldKey } from './held-key.ts';
import { readLeft, type AskedEntry } from './left-entries.ts';
import type { S3Pool } from './s3-pool.ts';
import type { FleetTiming } from './timing.ts';

/** Ends what nobody works on any more, unless it has been taken again. */
const FORGET = `
if redis.call('GET', KEYS[1]) == ARGV[1] or redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
return redis.call('HDEL', KEYS[3], ARGV[1])`;

const LANES = 16;
/** For S3 to answer what became of objects. */
const LONGEST_WAIT_MS = 5 * 60_000;

/** How much of an attempt is still to be cleaned up. */
export interface Left {
  entries: number;
  /** Objects that may be there, or may still appear. */
  objects: number;
}

export interface AttemptCleanerOptions {
  context: AttemptContext;
  s3: S3Pool;
  publishedKeys: PublishedKeys;
  timing: Pick<FleetTiming, 'leaseMs' | 'extendMs' | 'giveUpMs' | 'unknownUploadMs' | 'lateMs'>;
  log: Logger;
}

/** Aborts the uploads, and removes the objects, that attempts have left at S3. */
export class AttemptCleaner {
  readonly #options: AttemptCleanerOptions;
  /** When what is waited for was seen first: fields of journals, and ids of uploads. */
  readonly #seenAt = new Map<string, number>();

  constructor(options: AttemptCleanerOptions) {
    this.#options = options;
  }

  /**
   * Cleans up after an attempt that is over, as far as it can be done now.
   *
   * @returns what is left; undefined when another process is at it
   */
  async clean(attempt: Attempt, signal: AbortSignal): Promise<Left | undefined> {
    const { context, timing, log } = this.#options;
    const { redis, keys } = context;
    const { leaseMs: holdMs, extendMs, giveUpMs } = timing;
    const key = keys.cleaning(attempt.token);
    const token = newAttempt();
    const askedAt = steadyNow();
    if ((await redis.set(key, token, 'PX', holdMs, 'NX')) !== 'OK') return undefined;
    // Who loses it must remove nothing more: another one may have cleaned up, and the export be published again.
    const lock = new HeldKey({ redis, key, token, holdMs, extendMs, giveUpMs, log }, askedAt);
    try {
      const left = await this.#pass(attempt, AbortSignal.any([signal, lock.lost]));
      if (left.entries === 0) {
        const args = [
          keys.lease(attempt.exportId),
          keys.journal(attempt.token),
          keys.attempts,
          attempt.token,
        ];
        await redis.eval(FORGET, 3, ...args);
      }
      return left;
    } finally {
      await lock.end();
    }
  }

  /** Cleans up after every attempt that nobody works on. */
  async sweep(signal: AbortSignal): Promise<void> {
    const { context, log } = this.#options;
    for (const attempt of await this.known()) {
      signal.throwIfAborted();
      if (await isAlive(context, attempt)) continue;
      try {
        await this.clean(attempt, signal);
      } catch (error) {
        signal.throwIfAborted();
        log.warn(
          { err: error, export: attempt.exportId },
          'could not yet clean up after a lost attempt at an export',
        );
      }
    }
  }

  known(): Promise<Attempt[]> {
    const { context, log } = this.#options;
    return knownAttempts(context, (token, error) => {
      if (this.#seenAt.has(token)) return;
      this.#firstSeen(token);
      log.warn({ err: error, attempt: token }, 'left a forged attempt alone');
    });
  }

  /**
   * Waits until no attempt that is over has objects that are to be removed where another one is going to publish: its own
   * could be taken for them.
   */
  async untilClear(
    { bucket, prefix }: Pick<Attempt, 'bucket' | 'prefix'>,
    signal: AbortSignal,
  ): Promise<void> {
    const deadline = steadyNow() + LONGEST_WAIT_MS;
    for (let pauseMs = 250; ; pauseMs = Math.min(2 * pauseMs, 2_000)) {
      const others = (await this.known()).filter(
        (other) => other.bucket === bucket && overlap(other.prefix, prefix),
      );
      let isClear = true;
      for (const other of others) {
        if (await isAlive(this.#options.context, other)) continue;
        const left = await this.clean(other, signal);
        if (left === undefined || left.objects > 0) isClear = false;
      }
      if (isClear) return;
      if (steadyNow() > deadline) throw notClear();
      await delay(pauseMs, undefined, { signal });
    }
  }

  async #pass(attempt: Attempt, signal: AbortSignal): Promise<Left> {
    const { context, log } = this.#options;
    const journal = new AttemptJournal(context, attempt);
    const { uploads, objects, asked, forged } = await readLeft(journal, context.clock);
    if (forged.length > 0) {
      log.warn({ export: attempt.exportId, entries: forged.length }, 'removed forged entries of a journal');
      await journal.remove(forged);
    }
    const done: string[] = [];
    const isPublished = objects.length > 0 && (await this.#isPublished(attempt));
    let pending = 0;
    setMaxListeners(0, signal);
    const removeObject = async ({ field, region, object }: (typeof objects)[number]): Promise<void> => {
      signal.throwIfAborted();
      const upload = object.uploadId === undefined ? undefined : uploads.get(object.uploadId);
      // Removing the object aborts its upload.
      uploads.delete(object.uploadId ?? '');
      if (!(await this.#remove(field, region, object, signal))) pending += 1;
      else done.push(field, ...(upload === undefined ? [] : [upload.field]));
    };
    if (!isPublished) {
      // First what says that the export is whole.
      const put = objects.filter(({ object }) => object.uploadId === undefined);
      const uploaded = objects.filter(({ object }) => object.uploadId !== undefined);
      await inLanes(put, LANES, removeObject);
      await inLanes(uploaded, LANES, removeObject);
    }
    if (isPublished) done.push(...objects.map(({ field }) => field));
    let failed = 0;
    await inLanes(uploads, LANES, async ([uploadId, { field, bucket, key, region }]) => {
      if (await this.#abort({ bucket, key, uploadId }, region, signal)) done.push(field);
      else failed += 1;
    });
    let unknown = 0;
    await inLanes(asked, LANES, async ({ field, entry }) => {
      if (await this.#find(entry, signal)) done.push(field);
      else unknown += 1;
    });
    await journal.remove(done);
    for (const field of done) this.#seenAt.delete(field);
    return { entries: pending + failed + unknown, objects: pending };
  }

  /** @returns whether it is known what became of the object */
  async #remove(
    field: string,
    region: string,
    object: PublishedObject,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { s3, publishedKeys: keys, timing, log } = this.#options;
    const connection = await s3.forRegion(region);
    const came = await unpublish(connection, object, { keys, signal });
    const { bucket, key } = object;
    if (came.is !== 'pending') {
      const about = { bucket, key, ...('error' in came ? { err: came.error } : {}) };
      if (came.is === 'absent' || came.is === 'removed')
        log.info(about, `after a lost attempt: object ${came.is}`);
      else log.warn(about, `after a lost attempt: object ${came.is}`);
      return true;
    }
    if (came.error !== undefined) {
      log.warn(
        { bucket, key, err: came.error },
        'could not yet remove what a lost attempt has published, or may have',
      );
      return false;
    }
    return steadyNow() - this.#firstSeen(field) > timing.lateMs;
  }

  async #abort(
    upload: { bucket: string; key: string; uploadId: string },
    region: string,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { s3, log } = this.#options;
    try {
      await abortMultipartUpload(await s3.forRegion(region), upload, signal);
      return true;
    } catch (error) {
      signal.throwIfAborted();
      log.warn(
        { ...upload, err: error },
        'a multipart upload is left open: abort it, or let the workers abort it (s3:AbortMultipartUpload)',
      );
      return false;
    }
  }

  /**
   * Looks for an upload whose id was never noted, since the worker was lost before. What no journal knows for a while is
   * such a one.
   *
   * @returns whether none can appear any more
   */
  async #find(entry: AskedEntry, signal: AbortSignal): Promise<boolean> {
    const { s3, log, timing } = this.#options;
    const { bucket, key, region } = entry;
    const span = searchSpan(entry);
    try {
      const connection = await s3.forRegion(region);
      const uploads = await findMultipartUploads(connection, { bucket, key }, span, { signal });
      let isOver = steadyNow() > span.to;
      for (const upload of uploads) {
        if (await this.#isNoted(upload.uploadId)) continue;
        if (steadyNow() - this.#firstSeen(upload.uploadId) < timing.unknownUploadMs) isOver = false;
        else {
          await abortMultipartUpload(connection, upload, signal);
          this.#seenAt.delete(upload.uploadId);
          log.info({ ...upload }, 'aborted a multipart upload that a lost worker had opened');
        }
      }
      return isOver;
    } catch (error) {
      signal.throwIfAborted();
      if (!isSluiceError(error)) throw error;
      log.warn(
        { bucket, key, err: error },
        'could not yet look for a multipart upload that a lost worker may have opened',
      );
      return false;
    }
  }

  async #isNoted(uploadId: string): Promise<boolean> {
    const { redis, keys } = this.#options.context;
    const field = AttemptJournal.uploadField(uploadId);
    for (const token of await redis.hkeys(keys.attempts)) {
      if ((await redis.hexists(keys.journal(token), field)) === 1) return true;
    }
    return false;
  }

  /** Whether it was this attempt that has published the export. */
  async #isPublished({ exportId, token }: Attempt): Promise<boolean> {
    const { redis, keys, seal } = this.#options.context;
    const sealed = await redis.get(keys.published(exportId));
    if (sealed === null) return false;
    return readResult(seal, jobIdOf(exportId), sealed)?.attempt === token;
  }

  #firstSeen(what: string): number {
    const at = this.#seenAt.get(what) ?? steadyNow();
    this.#seenAt.set(what, at);
    return at;
  }
}

function notClear(): SluiceError {
  return new SluiceError(
    'upload_failed',
    'what an earlier attempt may have published could not be removed yet',
    {
      hint: "The workers' logs say why: can they reach S3, and may they look at and delete objects there?",
      retryable: true,
    },
  );
}

function overlap(a: string, b: string): boolean {
  return a.startsWith(b) || b.startsWith(a);
}
