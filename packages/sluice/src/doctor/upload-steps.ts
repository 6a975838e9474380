import type { S3Connection } from '../s3/connection.ts';
import { checkAbort, checkMultipart } from './checks/multipart.ts';
import { checkPut } from './checks/put.ts';
import type { Finding, Step, Walk, WalkOptions } from './walk.ts';

export const UPLOAD_CHECK_NAMES = ['put', 'multipart', 'abort'] as const;

/** Of the check that connects to S3. */
export const NO_BUCKET_NAMED: Finding<never> = {
  status: 'skipped',
  found: 'no bucket named: give s3://bucket/prefix',
};

/** Tries an upload in each of the two ways that exports have, and breaks one off. */
export async function checkUploads(
  walk: Walk,
  s3: Step<{ connection: S3Connection }>,
  object: { bucket: string; key: string },
  { signal }: Pick<WalkOptions, 'signal'>,
): Promise<void> {
  await walk.check('put', { s3 }, (found) => checkPut(found.s3.connection, object, { signal }));
  const upload = await walk.check('multipart', { s3 }, (found) =>
    checkMultipart(found.s3.connection, object, { signal }),
  );
  await walk.check('abort', { s3, upload }, (found) => checkAbort(found.s3.connection, found.upload), {
    cleansUp: true,
  });
}
