import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { SluiceError } from 'sluice';
import { steadyNow } from 'sluice/engine';
import { sealAttempt, type Attempt, type AttemptContext } from './attempt.ts';
import { HeldKey } from './held-key.ts';
import type { FleetTiming } from './timing.ts';

/** Takes the export if nobody has it, and makes the attempt known, so that it is cleaned up after whatever happens. */
const TAKE = `
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then
  redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])
  return 1
end
return 0`;

/** How often a lease that another attempt has is asked for. */
const TAKE_MS = 250;

export interface LeaseOptions extends AttemptContext {
  attempt: Attempt;
  timing: Pick<FleetTiming, 'leaseMs' | 'extendMs' | 'giveUpMs'>;
  log: Logger;
}

/** The right of one attempt to work on its export. */
export class Lease {
  readonly #held: HeldKey;
  readonly #cancelled: AbortSignal;

  private constructor(held: HeldKey, cancelled: AbortSignal) {
    this.#held = held;
    this.#cancelled = cancelled;
  }

  /** @returns undefined when another attempt has it */
  static async take({ redis, keys, seal, attempt, timing, log }: LeaseOptions): Promise<Lease | undefined> {
    const { exportId, token } = attempt;
    const { leaseMs: holdMs, extendMs, giveUpMs } = timing;
    const key = keys.lease(exportId);
    const askedAt = steadyNow();
    const record = sealAttempt(seal, attempt);
    if ((await redis.eval(TAKE, 2, key, keys.attempts, token, holdMs, record)) !== 1) return undefined;
    const cancelling = new AbortController();
    const cancelled = { key: keys.cancelled(exportId), tell: () => cancelling.abort(exportCancelled()) };
    const held = new HeldKey({ redis, key, token, holdMs, extendMs, giveUpMs, cancelled, log }, askedAt);
    return new Lease(held, cancelling.signal);
  }

  /** Waits before the lease is asked for again. */
  static async pause(signal: AbortSignal): Promise<void> {
    await delay(TAKE_MS, undefined, { signal });
  }

  /** Aborted when the lease is lost, or the export is cancelled. */
  get signal(): AbortSignal {
    return AbortSignal.any([this.lost, this.#cancelled]);
  }

  /** Aborted when another attempt may have the export. */
  get lost(): AbortSignal {
    return this.#held.lost;
  }

  end(): Promise<void> {
    return this.#held.end();
  }
}

export function exportCancelled(): SluiceError {
  return new SluiceError('export_aborted', 'the export was cancelled', {
    hint: 'Nothing of it is published.',
  });
}
