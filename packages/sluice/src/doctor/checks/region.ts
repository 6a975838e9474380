import { loadS3Sdk, type S3Connection } from '../../s3/connection.ts';
import { describeRemedy } from '../../s3/remedies.ts';
import { describeFailure, type S3Failure } from '../../s3/s3-failure.ts';
import type { Finding } from '../walk.ts';

/** Checks that the bucket exists, and is in the Region that exports would use. It is also the first request to S3. */
export async function checkRegion(
  connection: S3Connection,
  { bucket, key }: { bucket: string; key: string },
  { signal }: { signal: AbortSignal },
): Promise<Finding<{ connection: S3Connection }>> {
  const { HeadBucketCommand } = await loadS3Sdk();
  const client = await connection.client();
  const { region } = connection;
  const value = { connection };
  let failure: S3Failure;
  try {
    const { BucketRegion: bucketRegion = region } = await client.send(
      new HeadBucketCommand({ Bucket: bucket }),
      { abortSignal: signal },
    );
    if (bucketRegion === region) return { status: 'ok', found: `"${bucket}" is in ${region}`, value };
    failure = redirectTo(bucketRegion);
  } catch (error) {
    signal.throwIfAborted();
    const described = describeFailure(error);
    if (described === undefined) throw error;
    failure = asHeadBucketSaysIt(described, region);
  }
  // The same advice as in the error of an export.
  const target = await connection.target('PutObject', { bucket, key });
  const mend = describeRemedy(failure, target);
  const { bucketRegion, network, s3Code } = failure;
  if (network !== undefined) {
    return { status: 'failed', found: `no answer from ${target.endpoint} (${network})`, mend };
  }
  if (s3Code === 'NoSuchBucket') return { status: 'failed', found: `there is no bucket "${bucket}"`, mend };
  if (s3Code === 'PermanentRedirect') {
    const where = bucketRegion === undefined ? 'in another Region' : `in ${bucketRegion}`;
    return { status: 'failed', found: `"${bucket}" is ${where}, and exports would go to ${region}`, mend };
  }
  if (bucketRegion === region) {
    return { status: 'ok', found: `"${bucket}" is in ${region}`, value };
  }
  return {
    // HEAD needs s3:ListBucket, which exports do not need, so a refusal is not a problem.
    status: failure.httpStatus === 403 ? 'ok' : 'warning',
    found: `where "${bucket}" is was not told (${failure.message}), and exports would go to ${region}`,
    value,
  };
}

/**
 * Derives the error code from the status and the headers: the answer to a HEAD has no body.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html
 */
function asHeadBucketSaysIt(failure: S3Failure, region: string): S3Failure {
  const { httpStatus, bucketRegion } = failure;
  if (httpStatus === 404) return { ...failure, s3Code: 'NoSuchBucket' };
  const isElsewhere = bucketRegion !== undefined && bucketRegion !== region;
  if (isElsewhere || httpStatus === 301 || httpStatus === 307)
    return { ...failure, s3Code: 'PermanentRedirect' };
  return failure;
}

function redirectTo(bucketRegion: string): S3Failure {
  return {
    s3Code: 'PermanentRedirect',
    message: '',
    httpStatus: 200,
    requestId: undefined,
    bucketRegion,
    serverDate: undefined,
    network: undefined,
    cause: undefined,
  };
}
