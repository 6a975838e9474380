import type { S3Connection } from '../s3/connection.ts';
import { abortMultipartUpload, type MultipartUpload } from '../s3/multipart-upload.ts';
import { deleteExactObject, headObject, type StoredObject } from '../s3/stored-object.ts';
import { isLastingRefusal } from '../s3/upload-error.ts';
import type { PublishedKeys } from './published-keys.ts';
import type { PublishedObject } from './published-object.ts';
import { steadyNow } from '../steady-clock.ts';

/** Two times in whole seconds are compared: when the object was stored, and when S3 answered. */
const CLOCK_PRECISION_MS = 2_000;

/** The result of removing an object of a failed export. */
export type Unpublished =
  /** It does not exist, and will not appear. */
  | { is: 'absent' }
  /** Another object is stored there, and stays. */
  | { is: 'replaced' }
  /** It existed, and was deleted. */
  | { is: 'removed' }
  /** To be tried again: S3 could not be asked, or may still execute a request that was broken off. */
  | { is: 'pending'; error?: unknown }
  /** It exists, and can't be deleted. */
  | { is: 'left'; error: unknown }
  /** The role may not look for it, so it is not known whether it exists. */
  | { is: 'unknown'; error: unknown }
  /** Its multipart upload is open, and can't be aborted. */
  | { is: 'left-open'; upload: MultipartUpload; error: unknown };

export interface UnpublishOptions {
  keys: PublishedKeys;
  signal?: AbortSignal | undefined;
}

/**
 * Removes an object that an export has stored, or may have stored. It deletes exactly that object, by the version or
 * the ETag of S3's answer. If the answer was lost, an object under the key counts as this one when it has the same
 * length and checksum and is not older than the request.
 */
export async function unpublish(
  connection: S3Connection,
  object: PublishedObject,
  options: UnpublishOptions,
): Promise<Unpublished> {
  try {
    if (object.etag !== undefined) return await remove(connection, object, options);
    return object.uploadId === undefined
      ? await lookAndRemove(connection, object, options)
      : await abortOrRemove(connection, { ...object, uploadId: object.uploadId }, options);
  } catch (error) {
    return { is: 'pending', error };
  }
}

/**
 * An upload that could be aborted can't become an object any more. An upload that does not exist any more has been
 * completed, so its object is looked for.
 */
async function abortOrRemove(
  connection: S3Connection,
  object: PublishedObject & { uploadId: string },
  options: UnpublishOptions,
): Promise<Unpublished> {
  let denial: unknown;
  try {
    if (await abortMultipartUpload(connection, object, options.signal)) return { is: 'absent' };
  } catch (error) {
    if (!isLastingRefusal(error)) throw error;
    denial = error;
  }
  const found = await lookAndRemove(connection, object, options);
  if (denial !== undefined && found.is !== 'removed' && found.is !== 'left') {
    const { bucket, key, uploadId } = object;
    return { is: 'left-open', upload: { bucket, key, uploadId }, error: denial };
  }
  return found.is === 'pending' && found.error === undefined ? { is: 'absent' } : found;
}

async function lookAndRemove(
  connection: S3Connection,
  object: PublishedObject,
  options: UnpublishOptions,
): Promise<Unpublished> {
  let stored: StoredObject | undefined;
  try {
    stored = await headObject(connection, object, options);
  } catch (error) {
    if (!isLastingRefusal(error)) throw error;
    return { is: 'unknown', error };
  }
  if (stored === undefined || !isOurs(stored, object)) return { is: 'pending' };
  return remove(connection, { ...object, etag: stored.etag, versionId: stored.versionId }, options);
}

async function remove(
  connection: S3Connection,
  object: PublishedObject,
  { keys, signal }: UnpublishOptions,
): Promise<Unpublished> {
  const { bucket, key, etag, versionId } = object;
  // Objects that were stored while the bucket kept no versions have the version id "null".
  const isVersioned = versionId !== undefined && versionId !== 'null';
  if (!isVersioned && etag === undefined) return { is: 'unknown', error: undefined };
  const exact = isVersioned ? { bucket, key, versionId } : { bucket, key, etag: etag ?? '' };
  try {
    const result = await keys.remove(object, isVersioned ? undefined : etag, () =>
      deleteExactObject(connection, exact, { signal }),
    );
    if (result === 'busy') return { is: 'pending', error: new Error('another export publishes to this key') };
    if (result === 'replaced') return { is: 'replaced' };
    return { is: result === 'deleted' ? 'removed' : 'absent' };
  } catch (error) {
    if (!isLastingRefusal(error)) throw error;
    return { is: 'left', error };
  }
}

function isOurs(stored: StoredObject, { bytes, checksum, askedAt }: PublishedObject): boolean {
  if (stored.bytes !== bytes || checksum === undefined || stored.checksum !== checksum) return false;
  return stored.ageMs !== undefined && stored.ageMs <= steadyNow() - askedAt + CLOCK_PRECISION_MS;
}
