import type { Logger } from 'pino';
import type { PublishedKeys } from '../exporter/published-keys.ts';
import type { PublishedObject } from '../exporter/published-object.ts';
import { unpublish, type Unpublished } from '../exporter/unpublish.ts';
import type { CleanupQueue } from './cleanup-queue.ts';
import type { PublishingEntry } from './journal-entry.ts';
import type { S3Access } from './s3-access.ts';
import type { JournalNote } from './journal-store.ts';
import { steadyNow } from '../steady-clock.ts';

/** How long an object is looked for: a request that was broken off may still be executed by S3 for a while. */
const LATEST_APPEARANCE_MS = 30_000;

export interface LeftObjectsOptions {
  queue: CleanupQueue;
  s3: S3Access;
  keys: PublishedKeys;
  log: Logger;
}

/** Removes the objects that failed exports have published, in the background. */
export class LeftObjects {
  readonly #options: LeftObjectsOptions;

  constructor(options: LeftObjectsOptions) {
    this.#options = options;
  }

  /** Removes these objects of a failed export. They may exist already, or S3 may store them a little later. */
  remove(note: JournalNote<PublishingEntry>, objects: readonly PublishedObject[] = note.entry.objects): void {
    const lookUntil = steadyNow() + LATEST_APPEARANCE_MS;
    let remaining = [...objects];
    const holds = new Map(objects.map((object) => [object, this.#options.keys.hold(object)]));
    this.#options.queue.add({
      about: { objects: objects.map(({ bucket, key }) => `s3://${bucket}/${key}`) },
      failure: 'could not yet remove what a failed export has published, or may have',
      run: async (signal) => {
        const pending: PublishedObject[] = [];
        let problem: unknown;
        for (const object of remaining) {
          const came = await this.#removeOne(note.entry, object, signal);
          const isOver = came.is !== 'pending' || (came.error === undefined && steadyNow() >= lookUntil);
          if (came.is !== 'pending') this.#log(object, came);
          if (isOver) holds.get(object)?.();
          else pending.push(object);
          if (came.is === 'pending') problem ??= came.error;
        }
        remaining = pending;
        if (problem !== undefined) throw asError(problem);
        if (remaining.length > 0) return false;
        await note.remove();
        return true;
      },
    });
  }

  #removeOne(entry: PublishingEntry, object: PublishedObject, signal: AbortSignal): Promise<Unpublished> {
    const { s3, keys } = this.#options;
    return s3.use(entry, { signal }, (connection) => unpublish(connection, object, { keys, signal }));
  }

  #log({ bucket, key }: PublishedObject, came: Exclude<Unpublished, { is: 'pending' }>): void {
    const { log } = this.#options;
    const about = { bucket, key, ...('error' in came ? { err: came.error } : {}) };
    switch (came.is) {
      case 'absent':
        log.info(about, 'a failed export has not stored this object');
        return;
      case 'replaced':
        log.warn(
          about,
          'another object is stored by now where a failed export had published one: it is left there',
        );
        return;
      case 'removed':
        log.warn(about, 'removed an object that a failed export had published');
        return;
      case 'left':
        log.error(about, 'an object that a failed export has published is left: it could not be deleted');
        return;
      case 'unknown':
        log.error(
          about,
          'whether a failed export has stored this object is not known: it may not be looked at',
        );
        return;
      case 'left-open':
        log.error({ ...about, uploadId: came.upload.uploadId }, 'a multipart upload is left open: abort it');
        return;
      default:
        came satisfies never;
    }
  }
}

function asError(problem: unknown): Error {
  return problem instanceof Error ? problem : new Error(String(problem));
}
