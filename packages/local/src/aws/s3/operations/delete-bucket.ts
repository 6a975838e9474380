import { onBucket, type BucketOperation } from '../operation.ts';
import { S3Error } from '../s3-error.ts';

/**
 * A bucket with open multipart uploads can be deleted.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucket.html
 */
export const deleteBucket: BucketOperation = {
  name: 'DeleteBucket',
  target: 'bucket',
  route: { method: 'DELETE' },
  permissions: onBucket('s3:DeleteBucket'),
  async run({ bucket, store }) {
    if (!bucket.isEmpty) {
      throw new S3Error('BucketNotEmpty', 'The bucket you tried to delete is not empty', {
        details: { BucketName: bucket.name },
      });
    }
    await store.delete(bucket);
    return { status: 204 };
  },
};
