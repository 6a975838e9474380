import { onBucket, type BucketOperation } from '../operation.ts';

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html */
export const headBucket: BucketOperation = {
  name: 'HeadBucket',
  target: 'bucket',
  route: { method: 'HEAD' },
  permissions: onBucket('s3:ListBucket'),
  run: ({ bucket }) => ({
    headers: {
      'x-amz-bucket-region': bucket.region,
      'x-amz-access-point-alias': 'false',
      'content-type': 'application/xml',
    },
  }),
};
