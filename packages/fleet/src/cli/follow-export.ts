import { setTimeout as delay } from 'node:timers/promises';
import { SluiceError } from 'sluice';
import type { ExportReport } from 'sluice/cli';
import type { FleetClient } from '../fleet-client.ts';
import type { FleetResult } from '../fleet-export.ts';

/** How long Redis may be away. The export goes on without who follows it. */
const LONGEST_ABSENCE_MS = 15 * 60_000;
const RETRY_MS = 1_000;
/** How long Ctrl-C waits for a cancelled export to end: its worker may be gone, and found to be so. */
const CANCEL_TIMEOUT_MS = 90_000;

export interface Followed {
  client: FleetClient;
  id: string;
  report: ExportReport;
}

/** Follows an export to its end; an interruption cancels it first. */
export async function followExport(followed: Followed, signal: AbortSignal): Promise<FleetResult> {
  const { client, id, report } = followed;
  try {
    return await followThrough(followed, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  report.tell('cancelling', { id }, `cancelling ${id}`);
  const timeout = AbortSignal.timeout(CANCEL_TIMEOUT_MS);
  try {
    await client.cancel(id);
    // It may have been published just before.
    return await followThrough(followed, timeout);
  } catch (error) {
    if (!timeout.aborted && !isLostRedis(error)) throw error;
    throw new SluiceError('export_aborted', `the export ${id} has not ended yet`, {
      detail: timeout.aborted
        ? 'It was cancelled; its worker has not answered.'
        : 'Redis could not be reached to cancel it.',
      hint: `sluice fleet show ${id} tells how it ends, sluice fleet cancel ${id} cancels it.`,
      cause: error,
    });
  }
}

/** Waits for Redis when it is away. */
async function followThrough({ client, id, report }: Followed, signal: AbortSignal): Promise<FleetResult> {
  let lostAt: number | undefined;
  for (;;) {
    try {
      return await client.follow(id, {
        signal,
        onProgress: (state) => {
          if (lostAt !== undefined) report.tell('redis_back', { id }, 'Redis is back');
          lostAt = undefined;
          report.progress(state);
        },
      });
    } catch (error) {
      if (signal.aborted || !isLostRedis(error)) throw error;
      if (lostAt === undefined) {
        lostAt = performance.now();
        report.tell(
          'redis_lost',
          { id },
          'the connection to Redis is lost; the export goes on, and is shown when Redis is back',
        );
      }
      if (performance.now() - lostAt > LONGEST_ABSENCE_MS) throw lostRedis(id, error);
    }
    await Promise.allSettled([delay(RETRY_MS, undefined, { signal })]);
  }
}

/** Of ioredis, which has tried again by itself before. */
function isLostRedis(error: unknown): boolean {
  return (
    error instanceof Error &&
    (error.name === 'MaxRetriesPerRequestError' ||
      /connection is closed|stream isn't writeable/i.test(error.message))
  );
}

function lostRedis(id: string, cause: unknown): SluiceError {
  return new SluiceError('fleet_unavailable', 'the connection to Redis is lost', {
    detail: 'The export may have ended, or still goes on.',
    hint: `sluice fleet show ${id} tells when Redis is back.`,
    retryable: true,
    cause,
  });
}
