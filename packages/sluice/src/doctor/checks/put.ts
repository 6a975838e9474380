import { loadS3Sdk, type S3Connection } from '../../s3/connection.ts';
import { putObject } from '../../s3/put-object.ts';
import { describeFailure } from '../../s3/s3-failure.ts';
import { isUploadError } from '../../s3/upload-error.ts';
import { failedWith, type Finding } from '../walk.ts';

const BODY = Buffer.from('written by sluice doctor\n');
const DELETE_TIMEOUT_MS = 10_000;
/** S3 refuses a signature that is 15 minutes off. */
const WRONG_CLOCK_MS = 5 * 60_000;

/** Checks that an object can be stored, as in a small export. The object is deleted again, if that is allowed. */
export async function checkPut(
  connection: S3Connection,
  { bucket, key }: { bucket: string; key: string },
  { signal }: { signal: AbortSignal },
): Promise<Finding> {
  const object = `s3://${bucket}/${key}`;
  try {
    await putObject(connection, { bucket, key, body: [BODY], contentType: 'text/plain', signal });
  } catch (error) {
    const mayBeStored = signal.aborted || (isUploadError(error) && error.outcomeUnknown);
    const left = mayBeStored ? await deleteObject(connection, { bucket, key }) : undefined;
    signal.throwIfAborted();
    const finding = failedWith(error);
    return left === undefined
      ? finding
      : { ...finding, found: `${finding.found}; ${object} may be left: ${left}` };
  }
  const left = await deleteObject(connection, { bucket, key });
  const found =
    left === undefined
      ? `${object} was stored, and deleted again`
      : `${object} was stored, and is left: ${left}`;
  const offsetMs = await connection.clockOffsetMs();
  if (Math.abs(offsetMs) < WRONG_CLOCK_MS) return { status: 'ok', found, value: true };
  const minutes = Math.round(Math.abs(offsetMs) / 60_000);
  return {
    status: 'warning',
    found: `${found}; this host's clock is ${minutes} minutes ${offsetMs > 0 ? 'behind' : 'ahead of'} Amazon S3's`,
    mend: 'Set the clock, and keep it set (NTP): exports sign by the clock of S3, but certificates, credentials and logs go by the clock of this host.',
    value: true,
  };
}

/**
 * Deletes the object of the check. Exports work without the right to delete, so a failure is not an error.
 *
 * @returns why the object is left; undefined when it is deleted
 */
async function deleteObject(
  connection: S3Connection,
  { bucket, key }: { bucket: string; key: string },
): Promise<string | undefined> {
  const { DeleteObjectCommand } = await loadS3Sdk();
  const client = await connection.client();
  try {
    const { DeleteMarker: isHidden = false } = await client.send(
      new DeleteObjectCommand({ Bucket: bucket, Key: key }),
      { abortSignal: AbortSignal.timeout(DELETE_TIMEOUT_MS) },
    );
    return isHidden ? 'the bucket keeps old versions, and only a delete marker was set' : undefined;
  } catch (error) {
    const failure = describeFailure(error);
    return failure?.httpStatus === 403
      ? 's3:DeleteObject on it is not allowed, which exports do not need; delete it yourself'
      : `it could not be deleted (${failure?.message ?? String(error)}); delete it yourself`;
  }
}
