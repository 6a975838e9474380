import { randomBytes } from 'node:crypto';

/** The two queues of a source: BullMQ limits how many jobs run at a time for a whole queue only. */
export const exportsQueue = (source: string): string => `exports-${source}`;
export const piecesQueue = (source: string): string => `pieces-${source}`;

/** Keys in Redis beside BullMQ's. */
export class FleetKeys {
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
  }

  /** The names of all sources that a worker or a request has named. */
  get sources(): string {
    return `${this.#name}:sources`;
  }

  /** Attempts that are under way, or whose journal may have entries: a hash by their token. */
  get attempts(): string {
    return `${this.#name}:attempts`;
  }

  /** Held by the attempt that may work on an export. */
  lease(exportId: string): string {
    return `${this.#name}:lease:${exportId}`;
  }

  /** There when an export is to be cancelled. */
  cancelled(exportId: string): string {
    return `${this.#name}:cancelled:${exportId}`;
  }

  /** The sealed result of an export that is published. */
  published(exportId: string): string {
    return `${this.#name}:published:${exportId}`;
  }

  /** What an attempt would have to clean up: a hash. */
  journal(attempt: string): string {
    return `${this.#name}:journal:${attempt}`;
  }

  /** Held by the process that cleans up after an attempt. */
  cleaning(attempt: string): string {
    return `${this.#name}:cleaning:${attempt}`;
  }
}

/** 80 bits, and a letter first: BullMQ takes no numbers. */
export function newExportId(): string {
  return `x${randomBytes(10).toString('hex')}`;
}

export function newAttempt(): string {
  return randomBytes(16).toString('hex');
}

/** BullMQ's id of the job that a schedule has made for a time. */
const SCHEDULED = /^repeat:([A-Za-z0-9_-]+):(\d+)$/;

/** The id of an export as people see it; that of a schedule is `<name>@<milliseconds>`. */
export function exportIdOf(jobId: string): string {
  const [, name, dueAt] = SCHEDULED.exec(jobId) ?? [];
  return name === undefined ? jobId : `${name}@${dueAt}`;
}

export function jobIdOf(exportId: string): string {
  const [, name, dueAt] = /^([A-Za-z0-9_-]+)@(\d+)$/.exec(exportId) ?? [];
  return name === undefined ? exportId : `repeat:${name}:${dueAt}`;
}

/** The schedule that a job is of, and when it was due. */
export function scheduleOf(jobId: string): { name: string; dueAt: Date } | undefined {
  const [, name, dueAt] = SCHEDULED.exec(jobId) ?? [];
  return name === undefined ? undefined : { name, dueAt: new Date(Number(dueAt)) };
}

/** BullMQ takes no colons in such an id. */
export function pieceJobId(exportId: string, attempt: string, piece: number): string {
  return `${exportId}.${attempt}.${piece}`;
}
