import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { SluiceError } from 'sluice';
import { steadyNow } from 'sluice/engine';
import { attemptOver, sealAttempt, type Attempt, type AttemptContext } from './attempt.ts';
import type { FleetTiming } from './timing.ts';

/** Takes the export if nobody has it, and makes the attempt known, so that it is cleaned up after whatever happens. */
const TAKE = `
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then
  redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])
  return 1
end
return 0`;

const EXTEND = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 'lost' end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
if redis.call('EXISTS', KEYS[2]) == 1 then return 'cancelled' end
return 'held'`;

const END = `
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0`;

/** How often a lease that another attempt has is asked for. */
const TAKE_MS = 250;
const WATCH_PER_LIMIT = 20;
const END_TIMEOUT_MS = 5_000;

export interface LeaseOptions extends AttemptContext {
  attempt: Attempt;
  timing: Pick<FleetTiming, 'leaseMs' | 'extendMs' | 'giveUpMs'>;
  log: Logger;
}

/**
 * The right of one attempt to work on its export. It is lost when it could not be extended in time: then `signal` is
 * aborted, before another attempt can have it.
 */
export class Lease {
  readonly #options: LeaseOptions;
  readonly #over = new AbortController();
  readonly #timers: NodeJS.Timeout[];
  #heldAt: number;
  #isExtending = false;

  private constructor(options: LeaseOptions, heldAt: number) {
    this.#options = options;
    this.#heldAt = heldAt;
    const { extendMs, giveUpMs } = options.timing;
    this.#timers = [
      setInterval(() => void this.#extend(), extendMs),
      setInterval(() => this.#watch(), giveUpMs / WATCH_PER_LIMIT),
    ];
  }

  /** @returns undefined when another attempt has it */
  static async take(options: LeaseOptions): Promise<Lease | undefined> {
    const { redis, keys, seal, attempt, timing } = options;
    const { exportId, token } = attempt;
    const askedAt = steadyNow();
    const record = sealAttempt(seal, attempt);
    const args = [keys.lease(exportId), keys.attempts, token, timing.leaseMs, record];
    const isTaken = (await redis.eval(TAKE, 2, ...args)) === 1;
    return isTaken ? new Lease(options, askedAt) : undefined;
  }

  /** Waits before the lease is asked for again. */
  static async pause(signal: AbortSignal): Promise<void> {
    await delay(TAKE_MS, undefined, { signal });
  }

  /** Aborted when the lease is lost, or the export is cancelled. */
  get signal(): AbortSignal {
    return this.#over.signal;
  }

  /** Lets another attempt have it. Waits only a moment where Redis does not answer: the lease ends by itself. */
  async end(): Promise<void> {
    this.#stop();
    const { redis, keys, attempt, log } = this.#options;
    const ended = redis.eval(END, 1, keys.lease(attempt.exportId), attempt.token);
    ended.catch((error: unknown) => log.debug({ err: error }, 'a lease was not given back'));
    await Promise.race([Promise.allSettled([ended]), delay(END_TIMEOUT_MS, undefined, { ref: false })]);
  }

  async #extend(): Promise<void> {
    if (this.#isExtending) return;
    this.#isExtending = true;
    const { redis, keys, attempt, timing, log } = this.#options;
    const { exportId, token } = attempt;
    const askedAt = steadyNow();
    try {
      const answer = await redis.eval(
        EXTEND,
        2,
        keys.lease(exportId),
        keys.cancelled(exportId),
        token,
        timing.leaseMs,
      );
      if (answer === 'lost') this.#lose(attemptOver());
      else if (answer === 'cancelled') this.#lose(exportCancelled());
      else this.#heldAt = askedAt;
    } catch (error) {
      log.warn({ err: error, export: exportId }, 'could not extend the lease of an export');
    } finally {
      this.#isExtending = false;
    }
  }

  #watch(): void {
    if (steadyNow() - this.#heldAt > this.#options.timing.giveUpMs) this.#lose(attemptOver());
  }

  #lose(reason: SluiceError): void {
    this.#stop();
    this.#over.abort(reason);
  }

  #stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
  }
}

export function exportCancelled(): SluiceError {
  return new SluiceError('export_aborted', 'the export was cancelled', {
    hint: 'Nothing of it is published.',
  });
}
