import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { FleetKeys, exportsQueue, piecesQueue } from './fleet-names.ts';

export interface SourceQueues {
  source: string;
  exports: Queue;
  pieces: Queue;
}

/**
 * Of the streams by which queues tell what happens. Keepers listen to that of the pieces, and look at the jobs themselves
 * for what they have missed; nobody needs that of the exports, whose events have the progress of each table.
 */
const KEPT_EVENTS = { exports: 10, pieces: 2_000 };

const SOURCE_NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/;

/** The queues of all sources that the fleet knows, over one connection, which stays the caller's. */
export class FleetQueues {
  readonly #redis: Redis;
  readonly #prefix: string;
  readonly #keys: FleetKeys;
  readonly #log: Logger;
  readonly #queues = new Map<string, SourceQueues>();

  constructor({ redis, prefix, log }: { redis: Redis; prefix: string; log: Logger }) {
    this.#redis = redis;
    this.#prefix = prefix;
    this.#keys = new FleetKeys(prefix);
    this.#log = log;
  }

  /** Those of a source, which is made known to the fleet. */
  async of(source: string): Promise<SourceQueues> {
    if (!this.#queues.has(source)) await this.#redis.sadd(this.#keys.sources, source);
    return this.#open(source);
  }

  /** Of every source that was ever named. */
  async all(): Promise<SourceQueues[]> {
    const names = await this.#redis.smembers(this.#keys.sources);
    // Whoever reaches Redis may have put any text there.
    for (const name of names.filter((each) => SOURCE_NAME.test(each)).toSorted()) this.#open(name);
    return [...this.#queues.values()];
  }

  /** Those that were opened. */
  get open(): SourceQueues[] {
    return [...this.#queues.values()];
  }

  async close(): Promise<void> {
    await Promise.all(this.open.flatMap(({ exports, pieces }) => [exports.close(), pieces.close()]));
  }

  #open(source: string): SourceQueues {
    const known = this.#queues.get(source);
    if (known !== undefined) return known;
    const queues = {
      source,
      exports: this.#queue(exportsQueue(source), KEPT_EVENTS.exports),
      pieces: this.#queue(piecesQueue(source), KEPT_EVENTS.pieces),
    };
    this.#queues.set(source, queues);
    return queues;
  }

  #queue(name: string, maxLen: number): Queue {
    const queue = new Queue(name, {
      connection: this.#redis,
      prefix: this.#prefix,
      streams: { events: { maxLen } },
    });
    queue.on('error', (error) => this.#log.warn({ err: error, queue: name }, 'Redis'));
    return queue;
  }
}
