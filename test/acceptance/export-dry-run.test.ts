import { ListMultipartUploadsCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { allow, AwsAccount } from '../support/aws-account.ts';
import { runExport } from '../support/export-command.ts';
import { BUCKET, TestStack } from '../support/test-stack.ts';

let testStack: TestStack;
let account: AwsAccount;

beforeAll(async () => {
  testStack = await TestStack.start();
  account = new AwsAccount(testStack.stack);
  const client = await testStack.connect();
  await client.query('CREATE TABLE item AS SELECT generate_series(1, 10) AS id');
});
afterEach(async () => testStack.expectNothingLeft());
afterAll(async () => {
  account?.close();
  await testStack?.stop();
});

const TABLE = ['-t', 'item'];
const QUERY = ['-q', 'SELECT 1'];

/** With all rights, unless some are named. */
async function dryRun(path: string, args: readonly string[], actions?: readonly string[]) {
  const env = actions === undefined ? {} : await account.userWith(allow(actions, ['*']));
  const database = ['-d', testStack.stack.postgres.url, '--dry-run'];
  return runExport(testStack, [`s3://${BUCKET}/${path}`, ...database, ...args], { env });
}

async function put(...keys: string[]): Promise<void> {
  for (const Key of keys) await testStack.s3.send(new PutObjectCommand({ Bucket: BUCKET, Key, Body: 'old' }));
}

describe('--dry-run', () => {
  it('says for which objects it has opened and aborted an upload, and leaves nothing', async () => {
    const { status, stdout } = await dryRun('new/', TABLE);
    expect(stdout).toContain(
      `an upload was opened and aborted for s3://${BUCKET}/new/public.item/part-00000.txt and s3://${BUCKET}/new/manifest.json: `,
    );
    expect(status).toBe(0);
    expect(await testStack.keys('new/')).toEqual([]);
  });

  it.each([
    ['s3:PutObject', ['s3:ListBucket', 's3:AbortMultipartUpload'], []],
    ['s3:ListBucket', ['s3:PutObject', 's3:AbortMultipartUpload'], []],
    ['s3:ListBucket', ['s3:PutObject', 's3:AbortMultipartUpload'], ['--if-exists', 'clean']],
    [
      's3:PutObjectTagging',
      ['s3:ListBucket', 's3:PutObject', 's3:AbortMultipartUpload'],
      ['--tag', 'team=data'],
    ],
  ])('says that %s is missing', async (missing, actions, args) => {
    for (const what of [TABLE, QUERY]) {
      const { status, stderr, stdout } = await dryRun('denied', [...what, ...args], actions);
      expect(stderr).toContain(`needs ${missing} on arn:aws:s3:::${BUCKET}`);
      expect([status, stdout]).toEqual([1, '']);
    }
  });

  it('says at once what is missing', async () => {
    const { status, stderr } = await dryRun('denied/', TABLE, ['s3:GetObject']);
    expect(stderr).toMatch(
      /HINT: .*s3:ListBucket on .*s3:PutObject on .*part-00000.*s3:PutObject on .*manifest/,
    );
    expect(status).toBe(1);
  });

  it('says once that there is no such bucket', async () => {
    const database = ['-d', testStack.stack.postgres.url, '--dry-run'];
    const { stderr } = await runExport(testStack, ['s3://no-such-bucket/x/', ...database, ...TABLE]);
    expect(stderr.match(/There is no bucket/g)).toHaveLength(1);
  });

  it('names the upload that it may not abort', async () => {
    const { status, stderr } = await dryRun('left', QUERY, ['s3:ListBucket', 's3:PutObject']);
    const { Uploads = [] } = await testStack.s3.send(new ListMultipartUploadsCommand({ Bucket: BUCKET }));
    await testStack.abortUploads();
    expect(Uploads.map(({ Key }) => Key)).toEqual(['left']);
    expect(stderr).toContain('needs s3:AbortMultipartUpload on');
    expect(stderr).toContain(`The upload ${Uploads[0]?.UploadId} of s3://${BUCKET}/left`);
    expect(status).toBe(1);
  });

  it('says how many objects clean would delete, and which right could not be tried', async () => {
    await put('full/public.item/part-00000.txt', 'full/public.item/old-1', 'full/public.item/old-2');
    const { status, stdout } = await dryRun('full/', [...TABLE, '--if-exists', 'clean']);
    expect(stdout).toMatch(
      /clean would delete 2 other objects; it needs s3:DeleteObject, which cannot be tried/,
    );
    expect(status).toBe(0);
    expect(await testStack.keys('full/')).toHaveLength(3);
  });

  it('of a query looks at the path as it is given', async () => {
    await put('reports/a.csv', 'reports/b.csv_part2', 'reports/c.csv/query/part-00000.txt');
    for (const path of ['reports/a.csv', 'reports/b.csv']) {
      const taken = await dryRun(path, QUERY);
      expect(taken.stderr).toContain('the destination is not empty');
      expect(taken.status).toBe(1);
    }
    const { status, stdout } = await dryRun('reports/c.csv', QUERY);
    expect(stdout).toContain(`for s3://${BUCKET}/reports/c.csv: `);
    expect(stdout).toContain(`to s3://${BUCKET}/reports/c.csv; nothing was exported\n`);
    expect(status).toBe(0);
  });

  it('prints the same as JSON', async () => {
    const { stdout } = await dryRun('json/', [...TABLE, '--no-manifest', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({
      tables: [{ name: 'public.item', files: 1 }],
      destination: `s3://${BUCKET}/json/`,
      tried: { uploads: [`s3://${BUCKET}/json/public.item/part-00000.txt`] },
    });
  });
});

describe('--if-exists clean of a query', () => {
  it('replaces the object, and deletes further files of an earlier export', async () => {
    await put('clean/report', 'clean/report_part2', 'clean/report_party', 'clean/report/other');
    const { status } = await runExport(testStack, [
      `s3://${BUCKET}/clean/report`,
      '-d',
      testStack.stack.postgres.url,
      ...QUERY,
      '--if-exists',
      'clean',
    ]);
    expect(status).toBe(0);
    expect(await testStack.keys('clean/')).toEqual([
      'clean/report',
      'clean/report/other',
      'clean/report_party',
    ]);
    expect((await testStack.object('clean/report')).toString()).toBe('1\n');
  });
});
