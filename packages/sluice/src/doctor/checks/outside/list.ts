import type { S3Connection } from '../../../s3/connection.ts';
import { listObjects } from '../../../s3/list-objects.ts';
import { isUploadError } from '../../../s3/upload-error.ts';
import { failedWith, type Finding } from '../../walk.ts';

/** Checks that the destination can be listed, by which an export sees whether it is empty. */
export async function checkList(
  connection: S3Connection,
  { bucket, prefix }: { bucket: string; prefix: string },
  { signal }: { signal: AbortSignal },
): Promise<Finding> {
  const place = `s3://${bucket}/${prefix}`;
  try {
    const first = await listObjects(connection, { bucket, prefix }, { signal }).next();
    if (first.done === true) return { status: 'ok', found: `${place} is empty`, value: true };
    return {
      status: 'ok',
      found: `${place} holds objects: an export whose own folders or manifest are among them fails, unless --if-exists says what to do`,
      value: true,
    };
  } catch (error) {
    signal.throwIfAborted();
    if (!isUploadError(error) || error.httpStatus !== 403) throw error;
    const { found, mend } = failedWith(error);
    return {
      // It is not needed for everything.
      status: 'warning',
      found,
      mend: [mend, 'Without that right, exports need --if-exists overwrite.']
        .filter((text) => text !== undefined)
        .join(' '),
      value: true,
    };
  }
}
