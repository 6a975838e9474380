import { QueueEvents, type QueueEventsListener } from 'bullmq';
import type { Logger } from 'pino';
import { piecesQueue } from './fleet-names.ts';
import type { RedisSettings } from './redis.ts';

export type PieceEvent =
  | { is: 'active' }
  | { is: 'progress'; progress: unknown }
  /** It is not being read any more, and will be again. */
  | { is: 'waiting' }
  /** Completed or failed. */
  | { is: 'ended' };

type Listener = (jobId: string, event: PieceEvent) => void;

/** What happens to the pieces of a source, told to the keepers of this process. Events may be missed. */
export class PieceEvents {
  readonly #events: QueueEvents;
  readonly #listeners = new Map<string, Listener>();

  constructor(
    source: string,
    { connection, prefix, log }: { connection: RedisSettings; prefix: string; log: Logger },
  ) {
    this.#events = new QueueEvents(piecesQueue(source), { connection, prefix });
    this.#events.on('error', (error) => log.warn({ err: error, source }, 'Redis'));
    const tell =
      (event: PieceEvent) =>
      ({ jobId }: { jobId: string }): void =>
        this.#tell(jobId, event);
    this.#events.on('active', tell({ is: 'active' }));
    this.#events.on('completed', tell({ is: 'ended' }));
    this.#events.on('failed', tell({ is: 'ended' }));
    this.#events.on('stalled', tell({ is: 'waiting' }));
    this.#events.on('delayed', tell({ is: 'waiting' }));
    this.#events.on('progress', ({ jobId, data }: Parameters<QueueEventsListener['progress']>[0]) =>
      this.#tell(jobId, { is: 'progress', progress: data }),
    );
  }

  /** @returns ends the listening */
  listen(exportId: string, attempt: string, listener: Listener): () => void {
    const owner = `${exportId}.${attempt}`;
    this.#listeners.set(owner, listener);
    return () => void this.#listeners.delete(owner);
  }

  async close(): Promise<void> {
    await this.#events.close();
  }

  #tell(jobId: string, event: PieceEvent): void {
    this.#listeners.get(jobId.slice(0, Math.max(0, jobId.lastIndexOf('.'))))?.(jobId, event);
  }
}
