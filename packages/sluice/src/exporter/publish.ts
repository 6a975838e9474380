import { setMaxListeners } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { ExportedFile } from './exported-file.ts';
import { inLanes } from '../in-lanes.ts';
import type { PublishableFile } from './publishable-file.ts';
import { describeUndone, withNotes, type UndoneFile } from './undone-files.ts';
import type { UploadJournal } from './upload-journal.ts';

/**
 * Pauses before an object is looked for again: S3 may store it a moment after its request was broken off. Only without
 * a journal; with one the background clean-up looks for it.
 */
const LOOK_AGAIN_MS = [1_000, 4_000];

const UNDO_LANES = 16;

export interface PublishOptions {
  journal: UploadJournal | undefined;
  confirm: (() => Promise<void>) | undefined;
  signal: AbortSignal | undefined;
  /** How many objects are made at a time. The first file's is always the last, alone. @default 1 */
  lanes?: number;
  /** Told of each object that is made. */
  onPublished?: ((file: ExportedFile) => void) | undefined;
  /** How long undoing everything may take, when publishing fails. */
  undoTimeoutMs: number;
}

/**
 * Makes the objects, the last file's first, so that whoever waits for the plain key finds all of them. If one cannot be
 * made, or the signal is aborted, those that were made are removed.
 */
export async function publishFiles(
  files: readonly PublishableFile[],
  options: PublishOptions,
): Promise<ExportedFile[]> {
  const { journal, confirm, signal, lanes = 1, onPublished } = options;
  const published = new Map<PublishableFile, ExportedFile>();
  const publish = async (file: PublishableFile): Promise<void> => {
    signal?.throwIfAborted();
    const { bucket, key, bytes, parts, etag, versionId, ...rest } = await file.publish(signal);
    const exported = { bucket, key, bytes, parts, etag };
    published.set(file, exported);
    onPublished?.(exported);
    // A failure is ignored: without this note, an agent that starts after a kill finds the object by its checksum.
    await Promise.allSettled([journal?.published?.({ bucket, key, bytes, etag, versionId, ...rest })]);
  };
  try {
    await journal?.publishing?.(files.map((file) => file.describe()));
    const [first, ...later] = files;
    await inLanes(later.toReversed(), lanes, publish);
    await journal?.publishingLast?.();
    if (first !== undefined) await publish(first);
    signal?.throwIfAborted();
    await confirm?.();
    // Before the caller is told of the success: if the agent is killed in between, complete objects are left. The other
    // order could remove the objects of an export that has succeeded.
    await journal?.settled?.({ isPublished: true });
    return files.flatMap((file) => published.get(file) ?? []);
  } catch (error) {
    throw await undoFiles(files, error, options);
  }
}

/**
 * Removes what the files have left at S3, and gives the error to throw. That is the first error; if it is one of
 * Sluice's, its hint also says what could not be removed.
 */
export async function undoFiles(
  files: readonly PublishableFile[],
  error: unknown,
  { journal, undoTimeoutMs }: Pick<PublishOptions, 'journal' | 'undoTimeoutMs'>,
): Promise<unknown> {
  const { lost } = journal ?? {};
  if (lost?.aborted === true) return error;
  const timeout = AbortSignal.timeout(undoTimeoutMs);
  const signal = lost === undefined ? timeout : AbortSignal.any([timeout, lost]);
  setMaxListeners(0, signal);
  const undone: (UndoneFile | undefined)[] = files.map(() => undefined);
  await inLanes(files.entries(), UNDO_LANES, async ([index, file]) => {
    if (lost?.aborted !== true) undone[index] = await file.undo(signal);
  });
  for (const pauseMs of journal?.unsettled === undefined ? LOOK_AGAIN_MS : []) {
    if (!undone.some(isPending) || signal.aborted) break;
    await Promise.allSettled([delay(pauseMs, undefined, { signal })]);
    for (const [index, file] of files.entries()) {
      if (isPending(undone[index])) undone[index] = await file.undo(signal);
    }
  }
  const pending = undone.filter(isPending).map(({ object }) => object);
  // A failed clean-up must not hide the first error.
  await Promise.allSettled([
    (async () =>
      pending.length === 0 ? journal?.settled?.({ isPublished: false }) : journal?.unsettled?.(pending))(),
  ]);
  return withNotes(error, describeUndone(undone.filter((file) => file !== undefined)));
}

function isPending(file: UndoneFile | undefined): file is UndoneFile {
  return file?.came.is === 'pending';
}
