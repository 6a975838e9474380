import type { Job } from 'bullmq';
import type { ExportState } from 'sluice';
import { isSluiceError } from 'sluice';
import { z } from 'zod';
import { destinationOf, openFailure, openRequest, readResult, type ExportJobData } from './export-job.ts';
import { fleetErrorOf, type Failure } from './fleet-failure.ts';
import type { FleetExport, FleetExportState, FleetResult } from './fleet-export.ts';
import { exportIdOf, scheduleOf } from './fleet-names.ts';
import type { Seal } from './seal.ts';

const stateSchema = z.object({
  phase: z.enum(['reading', 'publishing', 'done']),
  tables: z.array(
    z.object({
      name: z.string(),
      pieces: z.number(),
      donePieces: z.number(),
      running: z.number(),
      estimatedRows: z.number().optional(),
      estimatedBytes: z.number(),
      coveredBytes: z.number(),
      rows: z.number(),
      bytes: z.number(),
    }),
  ),
  storedBytes: z.number(),
  publishedFiles: z.number(),
  elapsedMs: z.number(),
});

/** Whoever reaches Redis may have put anything there. */
const shownSchema = z
  .object({ source: z.string(), destination: z.string() })
  .catch({ source: 'unknown', destination: 'unknown' });

/** What can be said of a job of an export. */
export function describeExport(
  seal: Seal,
  job: Job<ExportJobData>,
  { isActive, isCancelled }: { isActive: boolean; isCancelled: boolean },
): FleetExport {
  const jobId = job.id ?? '';
  const failure = failureOf(seal, job);
  const result = resultOf(seal, job);
  const hasFailed = job.finishedOn !== undefined && result === undefined && failure !== undefined;
  return {
    id: exportIdOf(jobId),
    ...placesOf(seal, job),
    schedule: scheduleOf(jobId)?.name,
    state: stateOf(job, { isActive, isCancelled, failure, result }),
    attempts: job.attemptsStarted,
    worker: job.processedBy,
    progress: progressOf(job.progress),
    result,
    error: hasFailed ? fleetErrorOf(failure) : undefined,
    submittedAt: new Date(job.timestamp),
    startedAt: job.processedOn === undefined ? undefined : new Date(job.processedOn),
    endedAt: job.finishedOn === undefined ? undefined : new Date(job.finishedOn),
  };
}

/** With the date in the place of `{{date}}`, where the request is one of this fleet. */
function placesOf(seal: Seal, job: Job<ExportJobData>): Pick<FleetExport, 'source' | 'destination'> {
  const jobId = job.id ?? '';
  const shown = shownSchema.parse(job.data);
  try {
    const request = openRequest(seal, jobId, shown.source, job.data);
    return { source: shown.source, destination: destinationOf(request, exportIdOf(jobId)) };
  } catch (error) {
    if (!isSluiceError(error)) throw error;
    return shown;
  }
}

interface StateFacts {
  isActive: boolean;
  isCancelled: boolean;
  failure: Failure | undefined;
  result: FleetResult | undefined;
}

function stateOf(job: Job, { isActive, isCancelled, failure, result }: StateFacts): FleetExportState {
  if (job.finishedOn !== undefined) {
    if (result !== undefined) return 'done';
    return failure?.cancelled === true ? 'cancelled' : 'failed';
  }
  if (isActive) return 'running';
  return isCancelled ? 'cancelled' : 'waiting';
}

/** The failure of an export that has failed; of one in BullMQ's own words (a job that was taken out by hand), these. */
export function failureOf(seal: Seal, job: Job<ExportJobData>): Failure | undefined {
  const data: Partial<ExportJobData> = job.data ?? {};
  if (data.failure !== undefined) {
    try {
      return openFailure(seal, [exportIdOf(job.id ?? '')], data.failure);
    } catch (error) {
      if (!isSluiceError(error)) throw error;
    }
  }
  if (job.finishedOn === undefined || job.returnvalue) return undefined;
  return { kind: 'other', message: job.failedReason ?? 'unknown', retryable: false };
}

function resultOf(seal: Seal, job: Job<ExportJobData>): FleetResult | undefined {
  if (job.finishedOn === undefined || typeof job.returnvalue !== 'string') return undefined;
  const opened = readResult(seal, job.id ?? '', job.returnvalue);
  if (opened === undefined) return undefined;
  const { attempt: _, ...result } = opened;
  return result;
}

function progressOf(progress: unknown): ExportState | undefined {
  const parsed = stateSchema.safeParse(progress);
  if (!parsed.success) return undefined;
  const { tables, ...state } = parsed.data;
  return { ...state, tables: tables.map((table) => ({ ...table, estimatedRows: table.estimatedRows })) };
}
