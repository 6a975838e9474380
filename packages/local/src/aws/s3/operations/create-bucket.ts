import { readXmlBody } from '../body/read-xml-body.ts';
import { checkBucketName } from '../bucket-name.ts';
import { onBucket, type BucketNameOperation } from '../operation.ts';
import { S3Error, notImplemented } from '../s3-error.ts';

const MAX_BODY_BYTES = 64 * 1024;

/**
 * The bucket is created in the region of the LocationConstraint, or else in the region that the request was signed for:
 * this endpoint replaces the endpoints of all regions.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
 */
export const createBucket: BucketNameOperation = {
  name: 'CreateBucket',
  target: 'bucket name',
  route: { method: 'PUT' },
  permissions: (call) =>
    onBucket(
      's3:CreateBucket',
      ...(call.request.header('x-amz-acl') === undefined ? [] : ['s3:PutBucketAcl']),
    )(call),
  async run(call) {
    const { root } = await readXmlBody(call, 'CreateBucketConfiguration', MAX_BODY_BYTES);
    checkBucketName(call.bucketName);
    if (call.request.header('x-amz-bucket-object-lock-enabled')?.toLowerCase() === 'true') {
      throw notImplemented({ Header: 'x-amz-bucket-object-lock-enabled' });
    }
    const region = regionOf(root?.textOf('LocationConstraint')) ?? call.region;
    const bucket = await call.store.create({ name: call.bucketName, region, createdAt: Date.now() });
    if (bucket === undefined) {
      throw new S3Error(
        'BucketAlreadyOwnedByYou',
        'Your previous request to create the named bucket succeeded and you already own it.',
        { details: { BucketName: call.bucketName } },
      );
    }
    return { headers: { location: `/${call.bucketName}` } };
  },
};

function regionOf(constraint: string | undefined): string | undefined {
  if (constraint === undefined || constraint === '') return undefined;
  if (constraint === 'EU') return 'eu-west-1';
  // us-east-1 is the region without a constraint.
  if (/^[a-z]{2,}(-[a-z]+)+-\d+$/.test(constraint) && constraint !== 'us-east-1') return constraint;
  throw new S3Error('InvalidLocationConstraint', 'The specified location-constraint is not valid', {
    details: { LocationConstraint: constraint },
  });
}
