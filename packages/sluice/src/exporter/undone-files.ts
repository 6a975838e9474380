import { isSluiceError, SluiceError } from '../errors.ts';
import { actionOf } from '../s3/remedies.ts';
import type { S3Uri } from '../s3/s3-uri.ts';
import { isLastingRefusal, isUploadError } from '../s3/upload-error.ts';
import type { PublishedObject } from './published-object.ts';
import type { Unpublished } from './unpublish.ts';

/** A file of a failed export, and the result of removing it. */
export interface UndoneFile {
  object: PublishedObject;
  came: Unpublished;
}

/** The same error with a longer hint. An error that is not of Sluice is given back unchanged. */
export function withNotes(error: unknown, notes: readonly string[]): unknown {
  if (notes.length === 0) return error;
  if (isUploadError(error)) return error.withNotes(notes);
  // Subclasses of SluiceError add their own notes, or none.
  if (!isSluiceError(error) || error.constructor !== SluiceError) return error;
  const { code, message, detail, retryable } = error;
  const hint = [error.hint, ...notes].filter((sentence) => sentence !== undefined).join(' ');
  return new SluiceError(code, message, { detail, hint, retryable, cause: error });
}

/** Sentences about what was left behind, and which permissions the role would have needed to remove it. */
export function describeUndone(files: readonly UndoneFile[]): string[] {
  const notes: string[] = [];
  const left: UndoneFile[] = [];
  let removed = 0;
  for (const { object, came } of files) {
    switch (came.is) {
      case 'absent':
        break;
      case 'removed':
        removed++;
        break;
      case 'replaced':
        notes.push(`At ${uriOf(object)} another object is stored by now, which was left there.`);
        break;
      case 'left':
        left.push({ object, came });
        break;
      case 'unknown':
        notes.push(`Whether ${uriOf(object)} was stored is not known${needed(came.error, ': that needs')}.`);
        break;
      case 'pending':
        notes.push(
          object.etag === undefined
            ? `Whether ${uriOf(object)} was stored is not known yet.`
            : `Already published, and not removed again yet: ${uriOf(object)}.`,
        );
        break;
      case 'left-open':
        notes.push(
          `The multipart upload ${came.upload.uploadId} of ${uriOf(came.upload)} could not be aborted and is left open: abort it${needed(came.error, ', which needs')}.`,
        );
        break;
      default:
        came satisfies never;
    }
  }
  if (left.length > 0) notes.push(...describeLeft(left));
  if (removed > 0 && notes.length === 0) {
    notes.push('What had been published of it was removed again: nothing was left.');
  }
  return notes;
}

function describeLeft(left: readonly UndoneFile[]): string[] {
  const names = left.map(({ object }) => uriOf(object)).join(', ');
  const needs = new Set(left.map(({ came }) => needed('error' in came ? came.error : undefined, '')));
  needs.delete('');
  return [
    `Already published, and left as they are: ${names}.`,
    ...[...needs].map((action) => `Removing them again needs${action} on them.`),
  ];
}

function needed(error: unknown, words: string): string {
  return isLastingRefusal(error) && error.httpStatus === 403 ? `${words} ${actionOf(error.operation)}` : '';
}

function uriOf({ bucket, key }: S3Uri): string {
  return `s3://${bucket}/${key}`;
}
