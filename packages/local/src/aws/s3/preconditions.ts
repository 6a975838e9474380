import type { AwsRequest } from '../http/aws-request.ts';
import { S3Error, noSuchKey, notImplemented } from './s3-error.ts';
import type { StoredObject } from './storage/stored-object.ts';

/** The names of the four headers: CopyObject has its own set for the source. */
const PLAIN = {
  match: 'if-match',
  noneMatch: 'if-none-match',
  modified: 'if-modified-since',
  unmodified: 'if-unmodified-since',
};
const OF_COPY_SOURCE = {
  match: 'x-amz-copy-source-if-match',
  noneMatch: 'x-amz-copy-source-if-none-match',
  modified: 'x-amz-copy-source-if-modified-since',
  unmodified: 'x-amz-copy-source-if-unmodified-since',
};

/**
 * Of GetObject and HeadObject.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-reads.html
 * @throws S3Error PreconditionFailed, NotModified
 */
export function checkReadPreconditions(request: AwsRequest, object: StoredObject): void {
  const failed = failedRead(request, object, PLAIN);
  if (failed === undefined) return;
  if (failed === PLAIN.match || failed === PLAIN.unmodified) throw preconditionFailed(failed);
  throw new S3Error('NotModified', 'Not Modified', {
    headers: { etag: `"${object.etag}"`, 'last-modified': new Date(object.lastModified).toUTCString() },
  });
}

/** Of the source of CopyObject and UploadPartCopy. @throws S3Error PreconditionFailed */
export function checkCopySourcePreconditions(request: AwsRequest, source: StoredObject): void {
  const failed = failedRead(request, source, OF_COPY_SOURCE);
  if (failed !== undefined) throw preconditionFailed(failed);
}

/**
 * The preconditions of PutObject and CompleteMultipartUpload. Nothing may be awaited between this check and storing the
 * object.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
 * @throws S3Error PreconditionFailed, NoSuchKey, NotImplemented
 */
export function checkWritePreconditions(
  request: AwsRequest,
  key: string,
  existing: StoredObject | undefined,
): void {
  const noneMatch = request.header(PLAIN.noneMatch);
  if (noneMatch !== undefined) {
    if (noneMatch.trim() !== '*') throw notImplemented({ Header: 'If-None-Match' });
    if (existing !== undefined) throw preconditionFailed(PLAIN.noneMatch);
  }
  const match = request.header(PLAIN.match);
  if (match === undefined) return;
  if (existing === undefined) throw noSuchKey(key);
  if (!listsEtag(match, existing.etag)) throw preconditionFailed(PLAIN.match);
}

/** Whether a list of ETags, quoted or not, contains this one or is `*`. */
export function listsEtag(list: string, etag: string): boolean {
  return list
    .split(',')
    .map((entry) =>
      entry
        .trim()
        .replace(/^W\//, '')
        .replace(/^"(.*)"$/, '$1'),
    )
    .some((entry) => entry === '*' || entry === etag);
}

export function preconditionFailed(header: string): S3Error {
  const condition = header
    .replace('x-amz-copy-source-', '')
    .replace(/(^|-)[a-z]/g, (letters) => letters.toUpperCase());
  return new S3Error('PreconditionFailed', 'At least one of the pre-conditions you specified did not hold', {
    details: { Condition: condition },
  });
}

/** The header whose precondition fails, if any. ETags are compared before dates. */
function failedRead(request: AwsRequest, object: StoredObject, names: typeof PLAIN): string | undefined {
  const match = request.header(names.match);
  const unmodified = parseDate(request.header(names.unmodified));
  const noneMatch = request.header(names.noneMatch);
  const modified = parseDate(request.header(names.modified));
  // Dates in headers have whole seconds.
  const lastModified = Math.floor(object.lastModified / 1000) * 1000;

  if (match !== undefined) {
    if (!listsEtag(match, object.etag)) return names.match;
  } else if (unmodified !== undefined && lastModified > unmodified) return names.unmodified;
  if (noneMatch !== undefined) {
    if (listsEtag(noneMatch, object.etag)) return names.noneMatch;
  } else if (modified !== undefined && lastModified <= modified) return names.modified;
  return undefined;
}

function parseDate(header: string | undefined): number | undefined {
  const milliseconds = Date.parse(header ?? '');
  return Number.isNaN(milliseconds) ? undefined : milliseconds;
}
