import type { BucketAddress } from './bucket-address.ts';
import { S3Error } from './s3-error.ts';
import type { Bucket } from './storage/bucket.ts';

/**
 * The answer to a request that was signed for another region than the bucket's. With a path-style URL, the request went
 * to the endpoint of the region that it was signed for, which redirects. With a virtual-hosted URL, the host name leads
 * to the bucket's region, where the signature is wrong. Clients find the right region in x-amz-bucket-region.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/Redirects.html
 */
export function wrongRegion(bucket: Bucket, region: string, address: BucketAddress): S3Error {
  const headers = { 'x-amz-bucket-region': bucket.region };
  if (address.style === 'virtual-host') {
    return new S3Error(
      'AuthorizationHeaderMalformed',
      `The authorization header is malformed; the region '${region}' is wrong; expecting '${bucket.region}'`,
      { headers, details: { Region: bucket.region } },
    );
  }
  return new S3Error(
    'PermanentRedirect',
    'The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.',
    {
      headers,
      details: { Endpoint: `${bucket.name}.s3.${bucket.region}.amazonaws.com`, Bucket: bucket.name },
    },
  );
}
