import type { S3Uri } from '../s3/s3-uri.ts';
import { steadyNow } from '../steady-clock.ts';

/** How long a key is remembered after its last use: longer than S3's clock, which tells whole seconds, is inexact. */
const REMEMBER_MS = 60_000;
/** Contents that are remembered of one key. */
const MAX_CONTENTS = 1_000;

/** One export's turn at one key. */
export interface Publication {
  /** S3 has stored it. */
  stored(etag: string | undefined): void;
  /** No request of it is under way any more. */
  end(): void;
  /** The export has failed: what it stored is nobody's, and may be removed. */
  disown(): void;
}

interface KeyState {
  publishing: Set<Publication>;
  /** A removal that is under way. */
  removing: Promise<unknown> | undefined;
  /** The ETags that were stored, and by whom, but by exports that failed. */
  stored: { etag: string; by: Publication }[];
  usedAt: number;
  /** Removals that are still to be made. */
  holds: number;
}

/**
 * What the exports of this process publish, by key. ETags of equal contents are equal, so deleting by ETag alone could
 * hit what another export has stored. Therefore an object is not removed while another export publishes to its key, nor
 * when another has stored the same content there; and an export waits for a removal from its key to end.
 *
 * What remains: another process that stores the very same content under the same key. In a bucket with versions the
 * version is deleted, so nothing remains there.
 */
export class PublishedKeys {
  readonly #keys = new Map<string, KeyState>();

  /** @throws the signal's reason, while a removal from the key is waited for */
  async begin(object: S3Uri, { signal }: { signal?: AbortSignal | undefined } = {}): Promise<Publication> {
    this.#forgetOld();
    const state = this.#stateOf(object);
    while (state.removing !== undefined) await state.removing;
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
      end: () => {
        state.publishing.delete(publication);
        state.usedAt = steadyNow();
      },
    };
    state.publishing.add(publication);
    return publication;
  }

  /**
   * Runs a removal of what a failed export has stored, when it can hit nothing else.
   *
   * @returns what `run` gives; `busy` while another export publishes to the key; `not-ours` when it has stored the same
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
   * Remembers what is stored under a key for as long as a removal from it is still to be made.
   *
   * @returns to be called when it is done, or given up
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
      removing: undefined,
      stored: [],
      usedAt: 0,
      holds: 0,
    };
    state.usedAt = steadyNow();
    // The last used are the last in the order.
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
