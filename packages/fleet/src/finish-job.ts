import { UnrecoverableError, WaitingError, type Job } from 'bullmq';
import type { Logger } from 'pino';
import { isSluiceError } from 'sluice';
import { failureOf, publicReason } from './fleet-failure.ts';
import { sealFailure } from './export-job.ts';
import type { Seal } from './seal.ts';

export interface FinishOptions {
  job: Job<{ failure?: string }>;
  /** Of the lock of the job. */
  token: string | undefined;
  seal: Seal;
  /** What the failure belongs to. */
  context: readonly string[];
  /** Aborted when this process stops: then the job goes back, and no attempt is counted. */
  stopping: AbortSignal;
  log: Logger;
}

/** Does a job as BullMQ wants it: what it answers is its result, and its error says nothing but a code. */
export async function finishJob<T>(options: FinishOptions, work: () => Promise<T>): Promise<T> {
  const { job, token, stopping, log } = options;
  try {
    return await work();
  } catch (error) {
    if (stopping.aborted) {
      await job.moveToWait(token);
      log.info('handed back, since this worker stops');
      throw new WaitingError();
    }
    throw await noteFailure(options, error);
  }
}

async function noteFailure({ job, seal, context, log }: FinishOptions, error: unknown): Promise<Error> {
  const isCancelled = isSluiceError(error) && error.code === 'export_aborted';
  const failure = { ...failureOf(error), ...(isCancelled ? { cancelled: true } : {}) };
  if (isCancelled) log.info('cancelled');
  else log.error({ err: error }, failure.retryable ? 'failed, and will be tried again if it may' : 'failed');
  try {
    await job.updateData({ ...job.data, failure: sealFailure(seal, context, failure) });
  } catch (cause) {
    // The job was removed, or Redis refuses: the log has the error.
    log.warn({ err: cause }, 'could not note why a job has failed');
  }
  const reason = publicReason(failure);
  // Without a stack: BullMQ would keep it.
  return Object.assign(failure.retryable ? new Error(reason) : new UnrecoverableError(reason), {
    stack: reason,
  });
}
