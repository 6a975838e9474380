import type { Logger } from 'pino';
import { abortMultipartUpload, findMultipartUploads, type MultipartUpload } from '../s3/multipart-upload.ts';
import type { S3Connections } from './s3-connections.ts';
import type { FileUploadJournal, JournalEntry } from './upload-journal.ts';

/** How far S3's clock may be from ours, and how long it may have taken to open an upload. */
const CLOCK_SKEW_MS = 60_000;

/** Aborts the multipart uploads that an agent left which was killed. What can't be aborted now stays in the journal. */
export async function abortLeftUploads(
  journal: FileUploadJournal,
  s3: S3Connections,
  log: Logger,
): Promise<void> {
  for (const { entry, done } of await journal.left()) {
    const { bucket, key } = entry;
    try {
      const connection = s3.get(entry.region);
      for (const upload of await uploadsOf(entry, s3)) {
        await abortMultipartUpload(connection, upload);
        log.warn({ ...upload }, 'aborted a multipart upload that an earlier agent left');
      }
      await done();
    } catch (error) {
      log.error(
        { err: error, bucket, key, uploadId: entry.uploadId },
        'an earlier agent left a multipart upload',
      );
    }
  }
}

/** Where the id is not known, S3 is asked which uploads of the object were begun at that moment. */
async function uploadsOf(
  { bucket, key, uploadId, region, askedAt }: JournalEntry,
  s3: S3Connections,
): Promise<MultipartUpload[]> {
  if (uploadId !== undefined) return [{ bucket, key, uploadId }];
  return findMultipartUploads(
    s3.get(region),
    { bucket, key },
    {
      from: new Date(askedAt - CLOCK_SKEW_MS),
      to: new Date(askedAt + CLOCK_SKEW_MS),
    },
  );
}
