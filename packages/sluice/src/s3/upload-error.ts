import { SluiceError } from '../errors.ts';
import { printableLine } from '../printable.ts';
import { describeRemedy } from './remedies.ts';
import type { S3Failure } from './s3-failure.ts';
import type { S3Operation, S3Target } from './s3-target.ts';

/**
 * How much of the message in an answer is shown. Whatever answers in place of S3 could send a message of any length.
 */
const MAX_MESSAGE_LENGTH = 1_000;

export interface UploadErrorOptions {
  outcomeUnknown: boolean;
  /** Sentences that are appended to the hint. */
  notes?: readonly string[];
}

/** Amazon S3 refused a request, or could not be reached. For SQL, the message has Aurora's words. */
export class UploadError extends SluiceError {
  readonly operation: S3Operation;
  readonly bucket: string;
  readonly key: string;
  /** S3's error code, e.g. `NoSuchBucket`; undefined when no answer came. */
  readonly s3Code: string | undefined;
  readonly httpStatus: number | undefined;
  readonly requestId: string | undefined;
  /** True when S3 may have executed the request: an answer was lost, or was a server error (5xx). */
  readonly outcomeUnknown: boolean;
  /** True when S3 may answer differently later, for example when the credentials or the clock have been corrected. */
  readonly isPassing: boolean;

  readonly #failure: S3Failure;
  readonly #target: S3Target;
  readonly #notes: readonly string[];

  constructor(failure: S3Failure, target: S3Target, { outcomeUnknown, notes = [] }: UploadErrorOptions) {
    const hint = [describeRemedy(failure, target), ...notes].filter((sentence) => sentence !== undefined);
    super('upload_failed', target.words.failure(target.operation), {
      detail: `Amazon S3 client returned '${printableLine(failure.message, MAX_MESSAGE_LENGTH)}'.`,
      hint: hint.length === 0 ? undefined : hint.join(' '),
      cause: failure.cause,
      retryable: isTransient(failure),
    });
    this.operation = target.operation;
    this.bucket = target.bucket;
    this.key = target.key;
    this.s3Code = failure.s3Code;
    this.httpStatus = failure.httpStatus;
    this.requestId = failure.requestId;
    this.outcomeUnknown = outcomeUnknown;
    this.isPassing = isTransient(failure) || isExpiredToken(failure) || isWrongTime(failure);
    this.#failure = failure;
    this.#target = target;
    this.#notes = notes;
  }

  /** The same error with a longer hint: what was left behind or is published. */
  withNotes(notes: readonly string[]): UploadError {
    return new UploadError(this.#failure, this.#target, {
      outcomeUnknown: this.outcomeUnknown,
      notes: [...this.#notes, ...notes],
    });
  }
}

/** True for an answer of S3 that would be the same later, such as that the role is not allowed to do this. */
export function isLastingRefusal(error: unknown): error is UploadError {
  return isUploadError(error) && error.httpStatus !== undefined && !error.isPassing;
}

export function isUploadError(value: unknown): value is UploadError {
  return value instanceof UploadError;
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html */
const TRANSIENT_CODES = new Set([
  'InternalError',
  'OperationAborted',
  'RequestTimeout',
  'RequestTimeoutException',
  'ServiceUnavailable',
  'SlowDown',
  'Throttling',
  'ThrottlingException',
  'RequestLimitExceeded',
  'XMinioServerNotInitialized',
]);

/**
 * The clock error from which a 403 without an error code is taken for a wrong signing time. S3 itself refuses
 * signatures that differ by 15 minutes.
 */
const LARGEST_CLOCK_ERROR_MS = 10 * 60_000;

/** True when the same request may get another answer if it is sent again. */
export function isTransient({ s3Code, httpStatus, network }: S3Failure): boolean {
  if (network !== undefined) return network !== 'tls' && network !== 'other';
  if (s3Code !== undefined && TRANSIENT_CODES.has(s3Code)) return true;
  if (httpStatus === undefined) return false;
  return httpStatus === 429 || isUnreadableSuccess(httpStatus) || (httpStatus >= 500 && httpStatus !== 501);
}

/** False when the request certainly did not reach S3, or was refused. */
export function mayHaveBeenDone({ network, httpStatus }: S3Failure): boolean {
  if (network !== undefined) return network === 'reset' || network === 'stalled' || network === 'other';
  return httpStatus !== undefined && (httpStatus >= 500 || isUnreadableSuccess(httpStatus));
}

/** A success status is reported as a failure only when the answer is missing something, cut or unreadable. */
function isUnreadableSuccess(httpStatus: number): boolean {
  return httpStatus >= 200 && httpStatus < 300;
}

/** True when S3 refused the signature because of its time. */
export function isWrongTime({ s3Code }: Pick<S3Failure, 's3Code'>): boolean {
  return s3Code === 'RequestTimeTooSkewed';
}

/** Also true for an answer without a body (HeadObject) that may mean a wrong signing time. */
export function mayBeWrongTime({ s3Code, httpStatus, serverDate }: S3Failure): boolean {
  if (s3Code !== undefined) return isWrongTime({ s3Code });
  return (
    httpStatus === 403 &&
    serverDate !== undefined &&
    Math.abs(serverDate - Date.now()) > LARGEST_CLOCK_ERROR_MS
  );
}

/** Also true for an answer without a body (HeadObject) that may mean expired credentials. */
export function mayBeExpiredToken({ s3Code, httpStatus }: S3Failure): boolean {
  return s3Code === undefined ? httpStatus === 400 : isExpiredToken({ s3Code });
}

/** True when the credentials have expired, so that newer ones may be accepted. */
export function isExpiredToken({ s3Code }: Pick<S3Failure, 's3Code'>): boolean {
  return s3Code === 'ExpiredToken' || s3Code === 'ExpiredTokenException' || s3Code === 'TokenRefreshRequired';
}
