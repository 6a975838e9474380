import type { Redis } from 'ioredis';
import { steadyNow } from 'sluice/engine';

/** The clock of Redis, by which the machines of a fleet tell each other times: their own may be wrong. */
export class FleetClock {
  readonly #aheadMs: number;

  /** @param aheadMs how far it is ahead of steadyNow */
  constructor(aheadMs: number) {
    this.#aheadMs = aheadMs;
  }

  static async read(redis: Redis): Promise<FleetClock> {
    const askedAt = steadyNow();
    const [seconds, microseconds] = await redis.time();
    // It was read between the question and the answer.
    const localMs = (askedAt + steadyNow()) / 2;
    return new FleetClock(Number(seconds) * 1_000 + Number(microseconds) / 1_000 - localMs);
  }

  toFleet(localMs: number): number {
    return localMs + this.#aheadMs;
  }

  toLocal(fleetMs: number): number {
    return fleetMs - this.#aheadMs;
  }
}
