import type { FileParts } from './file-parts.ts';
import type { FilePublication } from './file-publication.ts';
import type { PublishedObject } from './published-object.ts';
import type { Unpublished } from './unpublish.ts';

/** Aborts the multipart upload of a file, or removes the object that it has become; gives what is left of it. */
export async function takeBack(
  { parts, publication, object }: { parts: FileParts; publication: FilePublication; object: PublishedObject },
  signal: AbortSignal,
): Promise<{ object: PublishedObject; came: Unpublished } | undefined> {
  const asked = publication.object;
  if (asked === undefined) {
    const left = await parts.abort(signal);
    return left && { object, came: left };
  }
  const came = await publication.undo(asked, signal);
  if (came.is === 'left-open') await parts.leftOpen(came.error);
  else await parts.closed();
  return { object: asked, came };
}
