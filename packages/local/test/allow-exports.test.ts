import { Client } from 'pg';
import { CreateBucketCommand, GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { expect, it } from 'vitest';
import { startLocal } from '../src/index.ts';

it('a stack exports nowhere at first; allowExports lets it export to that bucket, and may be called again', async () => {
  await using stack = await startLocal();
  const { endpoint, region, accessKeyId, secretAccessKey } = stack.aws;
  const s3 = new S3Client({
    endpoint,
    region,
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
  });
  const client = new Client({ connectionString: stack.postgres.url });
  await client.connect();
  const exportTo = (bucket: string) =>
    client.query('SELECT aws_s3.query_export_to_s3($1, $2, $3)', ['SELECT 1', bucket, 'key']);
  for (const bucket of ['one-bucket', 'other-bucket']) {
    await s3.send(new CreateBucketCommand({ Bucket: bucket }));
    await expect(exportTo(bucket)).rejects.toMatchObject({
      code: expect.stringMatching(/^(28000|58000)$/) as unknown,
    });
    await stack.allowExports(bucket);
    await stack.allowExports(bucket);
    await exportTo(bucket);
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: 'key' }));
    expect(await Body?.transformToString()).toBe('1\n');
  }
  await client.end();
  s3.destroy();
});
