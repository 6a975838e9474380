import { setTimeout as delay } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { steadyNow } from 'sluice/engine';
import { attemptOver } from './attempt.ts';

/** KEYS[2], if there is one, says that the work is to be ended. */
const EXTEND = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 'lost' end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
if KEYS[2] and redis.call('EXISTS', KEYS[2]) == 1 then return 'cancelled' end
return 'held'`;

const END = `
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0`;

const WATCH_PER_LIMIT = 20;
const END_TIMEOUT_MS = 5_000;

export interface HeldKeyOptions {
  redis: Redis;
  key: string;
  /** Of the one who holds it. */
  token: string;
  /** Whoever is not heard of for so long has lost it. */
  holdMs: number;
  extendMs: number;
  /** Who could not extend it for so long gives it up; well below `holdMs`. */
  giveUpMs: number;
  /** Told when this key is there. */
  cancelled?: { key: string; tell: () => void } | undefined;
  log: Logger;
}

/**
 * A key in Redis that one process holds at a time. `lost` is aborted before another one can have it, also in a process that
 * was stopped meanwhile, as soon as it wakes: timers that are late come before anything that is tried again.
 */
export class HeldKey {
  readonly #options: HeldKeyOptions;
  readonly #lost = new AbortController();
  readonly #timers: NodeJS.Timeout[];
  #heldAt: number;
  #isExtending = false;

  /** @param askedAt when it was taken, at the latest: by steadyNow */
  constructor(options: HeldKeyOptions, askedAt: number) {
    this.#options = options;
    this.#heldAt = askedAt;
    const { extendMs, giveUpMs } = options;
    this.#timers = [
      setInterval(() => void this.#extend(), extendMs),
      setInterval(() => this.#watch(), giveUpMs / WATCH_PER_LIMIT),
    ];
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** Lets another one have it. Waits only a moment where Redis does not answer: it ends by itself. */
  async end(): Promise<void> {
    this.#stop();
    const { redis, key, token, log } = this.#options;
    const ended = redis.eval(END, 1, key, token);
    ended.catch((error: unknown) => log.debug({ err: error, key }, 'a key was not given back'));
    await Promise.race([Promise.allSettled([ended]), delay(END_TIMEOUT_MS, undefined, { ref: false })]);
  }

  async #extend(): Promise<void> {
    this.#watch();
    if (this.#isExtending || this.lost.aborted) return;
    this.#isExtending = true;
    const { redis, key, token, holdMs, cancelled, log } = this.#options;
    const keys = cancelled === undefined ? [key] : [key, cancelled.key];
    const askedAt = steadyNow();
    try {
      const answer = await redis.eval(EXTEND, keys.length, ...keys, token, holdMs);
      if (answer === 'lost') this.#lose();
      else this.#heldAt = askedAt;
      if (answer === 'cancelled') cancelled?.tell();
    } catch (error) {
      log.warn({ err: error, key }, 'could not extend a key');
    } finally {
      this.#isExtending = false;
    }
  }

  #watch(): void {
    if (steadyNow() - this.#heldAt > this.#options.giveUpMs) this.#lose();
  }

  #lose(): void {
    this.#stop();
    this.#lost.abort(attemptOver());
  }

  #stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
  }
}
