import { isUploadError } from '../s3/upload-error.ts';
import type { ExportedFile, FileUpload, LeftUpload } from './file-upload.ts';

/**
 * Makes the objects, the last file's first: whoever waits for the plain key finds all of them. If one cannot be made,
 * those before it are given up.
 */
export async function publishFiles(
  files: readonly FileUpload[],
  abortTimeoutMs: number,
): Promise<ExportedFile[]> {
  const published: ExportedFile[] = [];
  for (const [index, file] of [...files.entries()].toReversed()) {
    try {
      published.unshift(await file.publish());
    } catch (error) {
      const failure = await abortFiles(files.slice(0, index + 1), error, abortTimeoutMs);
      throw withNotes(failure, publishingNotes(failure, published));
    }
  }
  return published;
}

/**
 * Aborts what the files have open, and gives the error to throw: the first one, which also says what was left behind,
 * if it is one of ours to say it.
 */
export async function abortFiles(
  files: readonly FileUpload[],
  error: unknown,
  timeoutMs: number,
): Promise<unknown> {
  const signal = AbortSignal.timeout(timeoutMs);
  const notes: string[] = [];
  for (const file of files) {
    const left = await file.abort(signal);
    if (left !== undefined) notes.push(describeLeft(left));
  }
  return withNotes(error, notes);
}

function withNotes(error: unknown, notes: readonly string[]): unknown {
  return isUploadError(error) && notes.length > 0 ? error.withNotes(notes) : error;
}

function describeLeft({ upload: { bucket, key, uploadId }, error }: LeftUpload): string {
  const needs =
    isUploadError(error) && error.httpStatus === 403 ? ', which needs s3:AbortMultipartUpload' : '';
  return `The multipart upload ${uploadId} of s3://${bucket}/${key} could not be aborted and is left open: abort it${needs}.`;
}

function publishingNotes(error: unknown, published: readonly ExportedFile[]): string[] {
  const notes: string[] = [];
  if (isUploadError(error) && error.outcomeUnknown) {
    notes.push(`Whether s3://${error.bucket}/${error.key} was stored is not known.`);
  }
  if (published.length > 0) {
    const names = published.map(({ bucket, key }) => `s3://${bucket}/${key}`).join(', ');
    notes.push(`Already published, and left as they are: ${names}.`);
  }
  return notes;
}
