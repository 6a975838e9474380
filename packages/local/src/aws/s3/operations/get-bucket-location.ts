import { onBucket, type BucketOperation } from '../operation.ts';
import { writeXml } from '../xml/write-xml.ts';

/**
 * Buckets in us-east-1 have no LocationConstraint.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLocation.html
 */
export const getBucketLocation: BucketOperation = {
  name: 'GetBucketLocation',
  target: 'bucket',
  route: { method: 'GET', query: ['location'] },
  anyRegion: true,
  permissions: onBucket('s3:GetBucketLocation'),
  run: ({ bucket }) => ({
    body: writeXml('LocationConstraint', bucket.region === 'us-east-1' ? '' : bucket.region),
  }),
};
