import { isSluiceError, SluiceError } from '../errors.ts';
import { inLanes } from '../in-lanes.ts';
import type { S3Connection } from '../s3/connection.ts';
import { listObjects, type ListedObject } from '../s3/list-objects.ts';
import { deleteExactObject } from '../s3/stored-object.ts';
import { isUploadError } from '../s3/upload-error.ts';

/** What becomes of objects that are at the destination already. */
export type IfExists =
  /** The export fails before it has read a row. */
  | 'fail'
  /** Those with the same keys are replaced, the others stay. */
  | 'overwrite'
  /** Those with the same keys are replaced, and the others in the export's folders are deleted once it is published. */
  | 'clean';

const DELETE_LANES = 16;
/** Keys that an error shows. */
const SHOWN = 3;

export interface DestinationOptions {
  connection: S3Connection;
  bucket: string;
  /** Folders that hold files of nothing else than this export, and single objects by their whole key. */
  prefixes: readonly string[];
  signal?: AbortSignal | undefined;
}

/**
 * @throws SluiceError `destination_exists`: something is there already
 * @throws UploadError: the bucket can't be listed
 */
export async function requireEmpty(destination: DestinationOptions): Promise<void> {
  const { bucket } = destination;
  const found: string[] = [];
  try {
    for await (const { key } of objectsAt(destination)) {
      found.push(key);
      if (found.length > SHOWN) break;
    }
  } catch (error) {
    if (!isUploadError(error) || error.httpStatus !== 403) throw error;
    throw error.withNotes(['Without that right, give --if-exists overwrite.']);
  }
  if (found.length === 0) return;
  const shown = found.slice(0, SHOWN).map((key) => `s3://${bucket}/${key}`);
  throw new SluiceError('destination_exists', 'the destination is not empty', {
    detail: `It holds ${shown.join(', ')}${found.length > SHOWN ? ' and more' : ''}.`,
    hint: 'Export to another path, or give --if-exists overwrite (the others stay) or clean (they are deleted).',
  });
}

/**
 * Deletes what is at the destination and is not of the export, which is published: an interruption comes too late now.
 *
 * @param own every key of the export
 */
export async function clean(destination: DestinationOptions, own: ReadonlySet<string>): Promise<void> {
  try {
    await deleteOthers({ ...destination, signal: undefined }, own);
  } catch (error) {
    if (!isSluiceError(error)) throw error;
    throw new SluiceError(error.code, 'the export is published, but older objects could not be deleted', {
      detail: [error.message, error.detail].filter((text) => text !== undefined).join(': '),
      hint: error.hint,
      cause: error,
    });
  }
}

/** An object that changes meanwhile stays. */
async function deleteOthers(destination: DestinationOptions, own: ReadonlySet<string>): Promise<void> {
  const { connection, bucket, signal } = destination;
  await inLanes(await othersAt(destination, own), DELETE_LANES, async ({ key, etag }) => {
    if (etag !== undefined) await deleteExactObject(connection, { bucket, key, etag }, { signal });
  });
}

/** What is at the destination and is not of the export. */
export async function othersAt(
  destination: DestinationOptions,
  own: ReadonlySet<string>,
): Promise<ListedObject[]> {
  const others: ListedObject[] = [];
  for await (const object of objectsAt(destination)) {
    if (!own.has(object.key)) others.push(object);
  }
  return others;
}

async function* objectsAt({
  connection,
  bucket,
  prefixes,
  signal,
}: DestinationOptions): AsyncGenerator<ListedObject, void, void> {
  for (const prefix of prefixes) {
    for await (const object of listObjects(connection, { bucket, prefix }, { signal })) {
      if (belongsTo(prefix, object.key)) yield object;
    }
  }
}

/** A folder's prefix ends with a slash; a key's is the key, and `_part2` and so on after it. */
function belongsTo(prefix: string, key: string): boolean {
  return prefix.endsWith('/') || key === prefix || /^_part\d+$/.test(key.slice(prefix.length));
}
