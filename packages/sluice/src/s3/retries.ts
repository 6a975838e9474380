import { setTimeout as sleep } from 'node:timers/promises';
import { isSluiceError } from '../errors.ts';
import type { S3Connection } from './connection.ts';
import { describeFailure, type S3Failure } from './s3-failure.ts';
import type { S3Target } from './s3-target.ts';
import {
  isTransient,
  mayBeExpiredToken,
  mayBeWrongTime,
  mayHaveBeenDone,
  UploadError,
} from './upload-error.ts';

/** The longest wait before the second attempt; it doubles with each further attempt. */
const FIRST_BACKOFF_MS = 100;
const LONGEST_BACKOFF_MS = 5_000;

/** What an attempt can know of those before it. */
export interface EarlierAttempts {
  /** The number of this attempt, from 1. */
  number: number;
  /** Why the attempt before this one failed; undefined for the first. */
  lastFailure: S3Failure | undefined;
}

/**
 * Sends a request until it succeeds, fails in a way that another attempt would not change, or the attempts are used up,
 * with full-jitter exponential backoff (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
 * Expired credentials are renewed once. If S3 refuses a signature because of its time, the request is signed once more
 * by S3's clock.
 *
 * @throws {UploadError} the failure of the last attempt; or the signal's reason
 */
export async function withRetries<T>(
  connection: S3Connection,
  target: S3Target,
  signal: AbortSignal | undefined,
  attempt: (earlier: EarlierAttempts) => Promise<T>,
): Promise<T> {
  let lastFailure: S3Failure | undefined;
  let outcomeUnknown = false;
  let renewed = false;
  let corrected = false;
  for (let number = 1; ; number++) {
    signal?.throwIfAborted();
    try {
      return await attempt({ number, lastFailure });
    } catch (error) {
      signal?.throwIfAborted();
      if (isSluiceError(error)) throw error;
      lastFailure = describeFailure(error);
      if (lastFailure === undefined) throw error;
      outcomeUnknown ||= mayHaveBeenDone(lastFailure);
      if (mayBeExpiredToken(lastFailure) && !renewed) {
        renewed = true;
        await connection.renewCredentials();
      } else if (mayBeWrongTime(lastFailure) && lastFailure.serverDate !== undefined && !corrected) {
        corrected = true;
        await connection.correctClock(lastFailure.serverDate);
      } else if (isTransient(lastFailure) && number < connection.maxAttempts) {
        await waitBefore(number, signal);
      } else {
        throw new UploadError(lastFailure, target, { outcomeUnknown });
      }
    }
  }
}

async function waitBefore(retry: number, signal: AbortSignal | undefined): Promise<void> {
  const longestMs = Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (retry - 1));
  try {
    await sleep(Math.random() * longestMs, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}
