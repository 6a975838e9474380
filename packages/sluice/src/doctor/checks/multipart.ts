import type { S3Connection } from '../../s3/connection.ts';
import {
  abortMultipartUpload,
  createMultipartUpload,
  type MultipartUpload,
} from '../../s3/multipart-upload.ts';
import { isUploadError } from '../../s3/upload-error.ts';
import { uploadPart } from '../../s3/upload-part.ts';
import { failedWith, type Finding } from '../walk.ts';

const PART = Buffer.from('written by sluice doctor\n');
/**
 * The abort has its own time limit and not the doctor's signal, so that the upload is aborted after an interruption,
 * too.
 */
const ABORT_TIMEOUT_MS = 30_000;

/** Checks that a multipart upload can be begun and a part be sent, as in a large export. Nothing is published. */
export async function checkMultipart(
  connection: S3Connection,
  { bucket, key }: { bucket: string; key: string },
  { signal }: { signal: AbortSignal },
): Promise<Finding<MultipartUpload>> {
  const upload = await createMultipartUpload(connection, { bucket, key, signal });
  try {
    await uploadPart(connection, { upload, partNumber: 1, body: [PART], signal });
  } catch (error) {
    const { status, found } = await checkAbort(connection, upload);
    const finding = signal.aborted
      ? ({ status: 'failed', found: 'interrupted' } as const)
      : failedWith(error);
    return status === 'ok' ? finding : { ...finding, found: `${finding.found}; ${found}` };
  }
  return {
    status: 'ok',
    found: `an upload of s3://${bucket}/${key} was begun, and a part was sent`,
    value: upload,
  };
}

/**
 * Checks that the upload can be aborted, as a failed export does it. Otherwise its parts stay in S3, and are charged
 * for.
 */
export async function checkAbort(connection: S3Connection, upload: MultipartUpload): Promise<Finding> {
  const { bucket, key, uploadId } = upload;
  try {
    await abortMultipartUpload(connection, upload, AbortSignal.timeout(ABORT_TIMEOUT_MS));
    return { status: 'ok', found: 'the upload was aborted, and nothing of it is left', value: true };
  } catch (error) {
    const { found, mend } = failedWith(error);
    const isDenied = isUploadError(error) && error.httpStatus === 403;
    return {
      // Only a warning: exports that succeed need no abort.
      status: isDenied ? 'warning' : 'failed',
      found: `${found}; the upload ${uploadId} of s3://${bucket}/${key} is left`,
      mend: [
        mend,
        `End the upload that is left: aws s3api abort-multipart-upload --bucket ${quote(bucket)} --key ${quote(key)} --upload-id ${quote(uploadId)}`,
      ]
        .filter((sentence) => sentence !== undefined)
        .join(' '),
      value: true,
    };
  }
}

/** Quotes a word for a shell. */
function quote(text: string): string {
  return /^[\w./:-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
