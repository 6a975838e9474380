import { setTimeout as delay } from 'node:timers/promises';
import type { S3Uri } from '../s3/s3-uri.ts';
import { steadyNow } from '../steady-clock.ts';

/**
 * How long a key is remembered after its last use: longer than the error of comparing times with S3's clock, which
 * gives whole seconds.
 */
const REMEMBER_MS = 60_000;
/** How many ETags are remembered for one key. */
const MAX_CONTENTS = 1_000;

/** How long S3 may take to carry out a request whose connection was broken, or whose answer was lost. */
const LATE_MS = 5_000;
const POLL_MS = 20;

/** The publishing of one key by one export. */
export interface Publication {
  /** S3 has stored the object. */
  stored(etag: string | undefined): void;
  /**
   * No request of this publication is in flight any more.
   *
   * @param outcome.isKnown false: S3 may still store the object, or have stored it
   */
  end(outcome: { isKnown: boolean }): void;
  /** It is known now: the object was removed, or will not be stored. */
  settle(): void;
  /** The export has failed: its object is not protected against removal any more. */
  disown(): void;
}

interface KeyState {
  publishing: Set<Publication>;
  /** Failed publications whose object S3 may still store, and until when they are waited for. */
  late: Map<Publication, number>;
  /** The removal in progress, if any. */
  removing: Promise<unknown> | undefined;
  /** The ETags that were stored, and by which publication. Those of failed exports are taken out. */
  stored: { etag: string; by: Publication }[];
  usedAt: number;
  /** The number of removals still to be made. */
  holds: number;
}

/**
 * The keys that the exports of this process publish. Equal contents have equal ETags, so deleting an object by its ETag
 * alone could delete what another export has stored. Therefore an object is not removed while another export publishes
 * the same key, nor if another export has stored the same content there; and an export waits until a removal of its key
 * has ended. Exports publish a key one after another, and wait a few seconds for a request that was broken off: S3 could
 * carry it out later, and replace what the next one stores.
 *
 * One case remains: another process that stores the same content under the same key. In a bucket with versions it is
 * safe, since the version is deleted.
 */
export class PublishedKeys {
  readonly #keys = new Map<string, KeyState>();

  /** @throws the signal's reason, if it was aborted while another publication or a removal of the key was awaited */
  async begin(object: S3Uri, { signal }: { signal?: AbortSignal | undefined } = {}): Promise<Publication> {
    this.#forgetOld();
    const state = this.#stateOf(object);
    while (state.removing !== undefined || state.publishing.size > 0 || isLate(state)) {
      await (state.removing ?? delay(POLL_MS));
      signal?.throwIfAborted();
    }
    signal?.throwIfAborted();
    const publication: Publication = {
      stored: (etag) => {
        if (etag === undefined) return;
        state.stored.push({ etag, by: publication });
        if (state.stored.length > MAX_CONTENTS) state.stored.shift();
      },
      disown: () => {
        state.stored = state.stored.filter((other) => other.by !== publication);
      },
      end: ({ isKnown }) => {
        state.publishing.delete(publication);
        state.usedAt = steadyNow();
        if (!isKnown) state.late.set(publication, state.usedAt + LATE_MS);
      },
      settle: () => state.late.delete(publication),
    };
    state.publishing.add(publication);
    return publication;
  }

  /**
   * Removes what a failed export has stored, when that can't remove the object of another export.
   *
   * @returns what `run` gives; `busy` while another export publishes or removes the key; `not-ours` when another export
   *   has stored the same content
   */
  async remove<T>(
    object: S3Uri,
    etag: string | undefined,
    run: () => Promise<T>,
  ): Promise<T | 'busy' | 'not-ours'> {
    const state = this.#stateOf(object);
    if (state.publishing.size > 0 || state.removing !== undefined) return 'busy';
    if (state.stored.some((other) => other.etag === etag)) return 'not-ours';
    const removal = run();
    state.removing = Promise.allSettled([removal]);
    try {
      return await removal;
    } finally {
      state.removing = undefined;
      state.usedAt = steadyNow();
    }
  }

  /**
   * Keeps what is known of a key as long as a removal of its object is still to be made.
   *
   * @returns a function to call when the removal is done, or given up
   */
  hold(object: S3Uri): () => void {
    const state = this.#stateOf(object);
    state.holds += 1;
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      state.holds -= 1;
      state.usedAt = steadyNow();
    };
  }

  #stateOf({ bucket, key }: S3Uri): KeyState {
    const name = JSON.stringify([bucket, key]);
    const state = this.#keys.get(name) ?? {
      publishing: new Set(),
      late: new Map(),
      removing: undefined,
      stored: [],
      usedAt: 0,
      holds: 0,
    };
    state.usedAt = steadyNow();
    // Moves the key to the end of the order of last use.
    this.#keys.delete(name);
    this.#keys.set(name, state);
    return state;
  }

  #forgetOld(): void {
    for (const [name, { publishing, removing, usedAt, holds }] of this.#keys) {
      if (steadyNow() - usedAt < REMEMBER_MS) return;
      if (publishing.size === 0 && removing === undefined && holds === 0) this.#keys.delete(name);
    }
  }
}

function isLate({ late }: KeyState): boolean {
  for (const [publication, until] of late) {
    if (steadyNow() >= until) late.delete(publication);
  }
  return late.size > 0;
}
