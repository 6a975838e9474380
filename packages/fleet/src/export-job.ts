import type { JobsOptions } from 'bullmq';
import { isSluiceError, SluiceError } from 'sluice';
import { z } from 'zod';
import type { FleetRequest, FleetResult } from './fleet-export.ts';
import { exportIdOf, scheduleOf } from './fleet-names.ts';
import { parseFailure, type Failure } from './fleet-failure.ts';
import { renderPrefix } from './schedules/render-prefix.ts';
import type { Seal } from './seal.ts';

/** What BullMQ keeps of an export. All but `request` and `failure` is only shown. */
export interface ExportJobData {
  source: string;
  destination: string;
  /** Sealed. */
  request: string;
  /** Sealed: why it has failed. */
  failure?: string;
}

const DEFAULT_ATTEMPTS = 3;
const DEFAULT_PRIORITY = 100;
const KEPT = { age: 7 * 24 * 3600, count: 1_000 };

const optional = <T extends z.ZodType>(type: T) => type.optional();

const requestSchema = z.object({
  source: z.string(),
  bucket: z.string(),
  prefix: z.string(),
  timeZone: optional(z.string()),
  tables: optional(z.array(z.string())),
  query: optional(z.string()),
  splitBy: optional(z.string()),
  copyOptions: optional(z.string()),
  fileSizeBytes: optional(z.number()),
  compression: optional(z.enum(['gzip', 'zstd'])),
  headerIn: optional(z.enum(['each', 'first'])),
  kmsKeyId: optional(z.string()),
  storageClass: optional(z.string()),
  tags: optional(z.record(z.string(), z.string())),
  metadata: optional(z.record(z.string(), z.string())),
  manifest: optional(z.boolean()),
  ifExists: optional(z.enum(['fail', 'overwrite', 'clean'])),
  region: optional(z.string()),
  priority: optional(z.number()),
  attempts: optional(z.number()),
  /** When it was asked for; a schedule's is in the id of its job. */
  dueAt: optional(z.number()),
});

/** A request as its keeper gets it. */
export type OpenedRequest = FleetRequest & {
  /** What `{{date}}` and `{{time}}` mean. */
  due: Date;
};

const resultSchema = z.object({
  attempt: z.string(),
  files: z.number(),
  rows: z.string().transform(BigInt),
  bytes: z.number(),
  storedBytes: z.number(),
  manifestUrl: z.string().optional(),
});

/**
 * The data of the job of a request.
 *
 * @throws SluiceError `invalid_argument`: its prefix or its time zone can't be used
 */
export function sealRequest(seal: Seal, id: string, request: FleetRequest, due: Date): ExportJobData {
  const sealed = seal.seal('export', [id], { ...request, dueAt: due.getTime() });
  return { source: request.source, destination: destinationOf({ ...request, due }, id), request: sealed };
}

/** The data of the jobs that a schedule makes. */
export function sealSchedule(seal: Seal, name: string, request: FleetRequest): ExportJobData {
  const { source, bucket, prefix } = request;
  const sealed = seal.seal('schedule', [source, name], request);
  return { source, destination: `s3://${bucket}/${prefix}`, request: sealed };
}

/** Whether a schedule that the fleet has asks for the same export. */
export function isSealedRequest(
  seal: Seal,
  { name, timeZone, request }: { name: string; timeZone: string; request: FleetRequest },
  data: Partial<ExportJobData> | undefined,
): boolean {
  try {
    const known = seal.open('schedule', [request.source, name], data?.request);
    return JSON.stringify(known) === JSON.stringify({ ...request, timeZone });
  } catch (error) {
    // Of another key, or another version.
    if (!isSluiceError(error)) throw error;
    return false;
  }
}

/** Where an export's files go: with the date in the place of `{{date}}`. */
export function destinationOf(
  { bucket, prefix, timeZone = 'UTC', due }: OpenedRequest,
  exportId: string,
): string {
  return `s3://${bucket}/${renderPrefix(prefix, { dueAt: due, timeZone, id: exportId })}`;
}

/** @throws SluiceError `protocol_violation`: it was not sealed for this job */
export function openRequest(seal: Seal, jobId: string, source: string, data: ExportJobData): OpenedRequest {
  const schedule = scheduleOf(jobId);
  // Whoever reaches Redis may have put anything there.
  const sealed = (data as Partial<ExportJobData> | null)?.request;
  const value =
    schedule === undefined
      ? seal.open('export', [jobId], sealed)
      : seal.open('schedule', [source, schedule.name], sealed);
  const { dueAt, ...request } = requestSchema.parse(value);
  const due = schedule?.dueAt ?? new Date(dueAt ?? Number.NaN);
  if (request.source !== source || Number.isNaN(due.getTime())) {
    throw new SluiceError('protocol_violation', 'an export in Redis is not where it was put');
  }
  return { ...request, due };
}

/** BullMQ's options of the job of a request. */
export function exportJobOptions({ priority, attempts }: FleetRequest, backoffMs: number): JobsOptions {
  return {
    priority: priority ?? DEFAULT_PRIORITY,
    attempts: attemptsOf({ attempts }) + 1,
    backoff: { type: 'exponential', delay: backoffMs, jitter: 0.5 },
    removeOnComplete: KEPT,
    removeOnFail: KEPT,
    // Where an error came from is in the log of the worker.
    stackTraceLimit: 0,
  };
}

export function attemptsOf({ attempts = DEFAULT_ATTEMPTS }: Pick<FleetRequest, 'attempts'>): number {
  return attempts;
}

export function sealResult(seal: Seal, jobId: string, attempt: string, result: FleetResult): string {
  return seal.seal('result', [exportIdOf(jobId)], { attempt, ...result });
}

function openResult(seal: Seal, jobId: string, sealed: unknown): FleetResult & { attempt: string } {
  const result = resultSchema.parse(seal.open('result', [exportIdOf(jobId)], sealed));
  return { ...result, manifestUrl: result.manifestUrl };
}

/** The same; undefined for what was not sealed by this fleet. */
export function readResult(
  seal: Seal,
  jobId: string,
  sealed: unknown,
): ReturnType<typeof openResult> | undefined {
  try {
    return openResult(seal, jobId, sealed);
  } catch (error) {
    if (!isSluiceError(error)) throw error;
    return undefined;
  }
}

export function sealFailure(seal: Seal, context: readonly string[], failure: Failure): string {
  return seal.seal('failure', context, failure);
}

export function openFailure(seal: Seal, context: readonly string[], sealed: unknown): Failure {
  return parseFailure(seal.open('failure', context, sealed));
}
