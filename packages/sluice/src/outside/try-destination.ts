import { isSluiceError, SluiceError } from '../errors.ts';
import { withNotes } from '../exporter/undone-files.ts';
import { abortMultipartUpload, createMultipartUpload } from '../s3/multipart-upload.ts';
import type { ObjectSettings } from '../s3/object-settings.ts';
import { isUploadError } from '../s3/upload-error.ts';
import { othersAt, requireEmpty, type DestinationOptions, type IfExists } from './destination.ts';

export interface Trial {
  destination: DestinationOptions;
  ifExists: IfExists;
  /** Objects of the export, for which an upload is opened and aborted. */
  uploads: readonly (ObjectSettings & { key: string })[];
  /** Every key of the export. */
  own: ReadonlySet<string>;
}

export interface Tried {
  /** For which an upload was opened, and aborted at once. */
  uploads: string[];
  /** How many objects `clean` would delete; undefined without it. */
  deletes: number | undefined;
}

/**
 * Tries what can be tried of an export's destination without storing anything: that it can be listed and is empty, as far
 * as `ifExists` asks for it, and that an upload can be opened and aborted, with all the settings of the objects.
 *
 * @throws SluiceError `destination_exists`; UploadError. What else is missing is in its hint, so that it is said at once
 */
export async function tryDestination({ destination, ifExists, uploads, own }: Trial): Promise<Tried> {
  const { bucket } = destination;
  const [listing, ...opened] = await Promise.allSettled([
    tryListing(destination, { ifExists, own }),
    ...uploads.map((upload) => tryUpload(destination, upload)),
  ]);
  const failures = [listing, ...opened].flatMap((tried): unknown[] =>
    tried.status === 'rejected' ? [tried.reason] : [],
  );
  if (failures.length > 0) throw asOne(failures);
  return {
    uploads: uploads.map(({ key }) => `s3://${bucket}/${key}`),
    deletes: listing.status === 'fulfilled' ? listing.value : undefined,
  };
}

/** @returns how many objects would be deleted */
async function tryListing(
  destination: DestinationOptions,
  { ifExists, own }: Pick<Trial, 'ifExists' | 'own'>,
): Promise<number | undefined> {
  switch (ifExists) {
    case 'fail':
      await requireEmpty(destination);
      return undefined;
    case 'clean':
      return (await othersAt(destination, own)).length;
    case 'overwrite':
      return undefined;
    default:
      return ifExists satisfies never;
  }
}

/** An interruption does not keep the upload from being aborted. */
async function tryUpload(
  { connection, bucket, signal }: DestinationOptions,
  upload: ObjectSettings & { key: string },
): Promise<void> {
  const opened = await createMultipartUpload(connection, { ...upload, bucket, signal });
  const timeout = AbortSignal.timeout(4 * connection.requestTimeoutMs);
  try {
    await abortMultipartUpload(connection, opened, timeout);
  } catch (error) {
    const left = `The upload ${opened.uploadId} of s3://${bucket}/${upload.key}, which was opened to try it, is left open without parts: abort it.`;
    if (isUploadError(error)) throw error.withNotes([left]);
    throw new SluiceError('upload_failed', 'could not abort an upload to Amazon S3', {
      detail: timeout.aborted ? 'There was no answer in time.' : undefined,
      hint: left,
      cause: error,
    });
  }
  signal?.throwIfAborted();
}

/** The first of several failures, with what there is to do about all of them. */
function asOne([first, ...others]: readonly unknown[]): unknown {
  const hints = new Set(others.map((error) => (isSluiceError(error) ? error.hint : undefined)));
  if (isSluiceError(first)) hints.delete(first.hint);
  return withNotes(
    first,
    [...hints].filter((hint) => hint !== undefined),
  );
}
