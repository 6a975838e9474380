import { GetObjectTaggingCommand, HeadObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { exportTables } from '../../packages/sluice/src/index.ts';
import { allow, AwsAccount } from '../support/aws-account.ts';
import { runExport } from '../support/export-command.ts';
import { BUCKET, TestStack } from '../support/test-stack.ts';

const SETTINGS = `--storage-class STANDARD_IA --tag team=data --tag cost_center=a/b=c
  --metadata run-id=7`.split(/\s+/);
SETTINGS.push('--tag', 'two words=x y', '--metadata', 'Owner=Sales & more');
const TAGS = { team: 'data', cost_center: 'a/b=c', 'two words': 'x y' };
const METADATA = { 'run-id': '7', owner: 'Sales & more' };

let testStack: TestStack;

beforeAll(async () => {
  testStack = await TestStack.start();
  const client = await testStack.connect();
  await client.query(`
    CREATE TABLE item AS SELECT generate_series(1, 10) AS id;
    CREATE TABLE empty (id int);`);
});
afterEach(async () => testStack.expectNothingLeft());
afterAll(async () => testStack?.stop());

function exportTo(path: string, ...args: string[]) {
  return runExport(testStack, [`s3://${BUCKET}/${path}`, '-d', testStack.stack.postgres.url, ...args]);
}

/** What the SDK sees of an object. S3 names no storage class for STANDARD. */
async function settingsOf(Key: string) {
  const head = await testStack.s3.send(new HeadObjectCommand({ Bucket: BUCKET, Key }));
  const { TagSet = [] } = await testStack.s3.send(new GetObjectTaggingCommand({ Bucket: BUCKET, Key }));
  expect(head.TagCount ?? 0).toBe(TagSet.length);
  return {
    storageClass: head.StorageClass,
    metadata: head.Metadata,
    tags: Object.fromEntries(TagSet.map((tag) => [tag.Key, tag.Value])),
    encryption: head.ServerSideEncryption,
    kmsKeyId: head.SSEKMSKeyId,
    contentType: head.ContentType,
  };
}

describe('the storage class, tags and metadata of an export', () => {
  it('are those of each file, whether it has parts or not; the manifest has another class', async () => {
    const { status, stderr } = await exportTo('tables/', '-t', 'public.*', '--kms-key', 'key-1', ...SETTINGS);
    expect([status, stderr]).toEqual([0, expect.any(String)]);
    const encryption = { encryption: 'aws:kms', kmsKeyId: 'key-1' };
    const file = { storageClass: 'STANDARD_IA', tags: TAGS, metadata: METADATA, ...encryption };
    for (const table of ['item', 'empty']) {
      expect(await settingsOf(`tables/public.${table}/part-00000.txt`)).toEqual({
        ...file,
        contentType: 'text/plain; charset=utf-8',
      });
    }
    expect(await settingsOf('tables/manifest.json')).toEqual({
      ...file,
      storageClass: undefined,
      contentType: 'application/json',
    });
  });

  it('are those of a query, too', async () => {
    const { status } = await exportTo('report.csv', '-q', 'SELECT 1', '-o', 'format csv', ...SETTINGS);
    expect(status).toBe(0);
    expect(await settingsOf('report.csv')).toMatchObject({
      storageClass: 'STANDARD_IA',
      tags: TAGS,
      metadata: METADATA,
      contentType: 'text/csv; charset=utf-8',
    });
  });

  it('need s3:PutObjectTagging for tags, and the error says so', async () => {
    const account = new AwsAccount(testStack.stack);
    const env = await account.userWith(
      allow(['s3:PutObject', 's3:AbortMultipartUpload', 's3:ListBucket'], ['*']),
    );
    account.close();
    const database = ['-d', testStack.stack.postgres.url, '-t', 'item'];
    const denied = await runExport(testStack, [`s3://${BUCKET}/denied/`, ...database, ...SETTINGS], { env });
    expect(denied.stderr).toMatch(/HINT: .*s3:PutObjectTagging on arn:aws:s3:::sample-bucket\/denied\//);
    expect(denied.status).toBe(1);
    const untagged = ['--storage-class', 'GLACIER_IR', '--metadata', 'a=b'];
    expect(
      (await runExport(testStack, [`s3://${BUCKET}/allowed/`, ...database, ...untagged], { env })).status,
    ).toBe(0);
  });

  it('that S3 does not have are told', async () => {
    const { status, stderr } = await exportTo('x', '-q', 'SELECT 1', '--storage-class', 'STANDARD-IA');
    expect(stderr).toMatch(/HINT: .*Storage classes of Amazon S3 are STANDARD, STANDARD_IA/);
    expect(status).toBe(1);
  });

  it.each([
    [['--tag', 'team'], 'Expected key=value'],
    [['--tag', 'a=1', '--tag', 'a=2'], '"a" is given twice'],
    [Array.from({ length: 11 }, (_, n) => ['--tag', `k${n}=v`]).flat(), 'cannot have 11 tags'],
    [['--tag', `a=${'x'.repeat(257)}`], 'longer than 256'],
    [['--metadata', 'a b=c'], 'characters of an HTTP header'],
    [['--metadata', 'a=ü'], 'US-ASCII'],
    [['--metadata', 'a=b', '--metadata', 'A=b'], 'given twice'],
    [['--storage-class', 'a\nb'], 'invalid storage class'],
  ])('are checked on the command line: %j', async (args, message) => {
    const { status, stderr } = await exportTo('x/', '-t', 'item', ...args);
    expect(stderr).toContain(message);
    expect(status).toBe(2);
  });

  it('are checked by the library before it connects', async () => {
    const refused = exportTables({
      database: 'postgresql://127.0.0.1:1/none',
      tables: ['item'],
      connection: testStack.s3Connection,
      bucket: BUCKET,
      prefix: 'x/',
      metadata: { note: 'naïve' },
    });
    await expect(refused).rejects.toMatchObject({ code: 'invalid_argument', message: /metadata/ });
  });
});
