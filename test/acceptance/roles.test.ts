import { CreateBucketCommand, ListMultipartUploadsCommand } from '@aws-sdk/client-s3';
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { allow, AwsAccount, TRUST_RDS } from '../support/aws-account.ts';
import { BUCKET, exportQuery, TestStack } from '../support/test-stack.ts';

const ROLE = 'rds-s3-export-role';
const ROLE_ARN = `arn:aws:iam::000000000000:role/${ROLE}`;
const OBJECTS = [`arn:aws:s3:::${BUCKET}/*`];

const NO_CREDENTIALS = {
  code: '28000',
  message: "credentials stored with the database cluster can't be accessed",
};
const noRole = {
  ...NO_CREDENTIALS,
  hint: 'Has the IAM role Amazon Resource Name (ARN) been associated with the feature-name "s3Export"?',
};
const uploadRefused = (detail: RegExp, hint: RegExp) => ({
  code: '58000',
  message: 'could not upload to Amazon S3',
  detail: expect.stringMatching(detail) as unknown,
  hint: expect.stringMatching(hint) as unknown,
});
const accessDenied = uploadRefused(
  /^Amazon S3 client returned '.+'\.$/,
  /s3:PutObject.*arn:aws:s3:::sample-bucket\//,
);

let testStack: TestStack;
let superuser: pg.Client;
let account: AwsAccount;

beforeAll(async () => {
  testStack = await TestStack.start({ withRole: false });
  superuser = await testStack.connect();
  account = new AwsAccount(testStack.stack);
});
afterAll(async () => {
  account?.close();
  await testStack?.stop();
});

const small = () => exportQuery(superuser, 'SELECT 1', 'exports/small');
const large = () =>
  exportQuery(superuser, `SELECT repeat('x', 1000) FROM generate_series(1, 20000)`, 'exports/large');

async function statusBecomes(status: string): Promise<void> {
  await expect
    .poll(async () => (await account.roles()).map((role) => role.status), { timeout: 30_000 })
    .toEqual([status]);
}

describe('each step of the guide, before it is done, done, and undone', () => {
  let policy: string;

  it('no role: refused', async () => {
    expect(await account.roles()).toEqual([]);
    await expect(small()).rejects.toMatchObject(noRole);
    await expect(large()).rejects.toMatchObject(noRole);
  });

  it('a role that does not exist is associated: refused, its status becomes INVALID', async () => {
    await account.addRole(ROLE_ARN);
    await expect(small()).rejects.toMatchObject({
      ...NO_CREDENTIALS,
      detail: expect.stringContaining(ROLE_ARN) as unknown,
      hint: expect.stringContaining('trust policy') as unknown,
    });
    await statusBecomes('INVALID');
    await account.removeRole(ROLE_ARN);
    await expect(small()).rejects.toMatchObject(noRole);
  });

  it('a role that trusts another service: refused', async () => {
    await account.createRole(ROLE, {
      ...TRUST_RDS,
      Statement: [{ ...TRUST_RDS.Statement[0], Principal: { Service: 'ec2.amazonaws.com' } }],
    });
    await account.addRole(ROLE_ARN);
    await expect(small()).rejects.toMatchObject({
      ...NO_CREDENTIALS,
      detail: expect.stringContaining('sts:AssumeRole') as unknown,
      hint: expect.stringContaining(ROLE_ARN) as unknown,
    });
    await account.removeRole(ROLE_ARN);
    await account.setTrust(ROLE, TRUST_RDS);
  });

  it('the role is there, but not associated: refused', async () => {
    await expect(small()).rejects.toMatchObject(noRole);
  });

  it('the role is associated, but has no policy: denied, with the action and the object', async () => {
    await account.addRole(ROLE_ARN);
    await statusBecomes('ACTIVE');
    await expect(small()).rejects.toMatchObject(accessDenied);
    await expect(large()).rejects.toMatchObject(accessDenied);
  });

  it('a second role for the same feature is refused', async () => {
    await expect(account.addRole(`${ROLE_ARN}-2`)).rejects.toMatchObject({
      name: 'DBClusterRoleAlreadyExistsFault',
    });
  });

  it("the guide's policy is attached: it works", async () => {
    policy = await account.createPolicy('rds-s3-export-policy', allow(['S3:PutObject'], OBJECTS));
    await account.attach(ROLE, policy);
    expect(await small()).toEqual({ rows: 1, files: 1, bytes: 2 });
    expect(await large()).toMatchObject({ rows: 20_000 });
  });

  it('the policy is detached: denied at once; attached again: works', async () => {
    await account.detach(ROLE, policy);
    await expect(small()).rejects.toMatchObject(accessDenied);
    await account.attach(ROLE, policy);
    expect(await small()).toMatchObject({ rows: 1 });
  });

  it('the role is removed from the cluster: refused at once; added again: works', async () => {
    await account.removeRole(ROLE_ARN);
    await expect(small()).rejects.toMatchObject(noRole);
    await account.addRole(ROLE_ARN);
    expect(await small()).toMatchObject({ rows: 1 });
  });

  it('the bucket is missing: named; there: works', async () => {
    await account.putPolicy(ROLE, allow(['s3:PutObject'], ['arn:aws:s3:::other-bucket/*']));
    const toOther = () =>
      superuser.query(`SELECT aws_s3.query_export_to_s3('SELECT 1', 'other-bucket', 'x')`);
    await expect(toOther()).rejects.toMatchObject(
      uploadRefused(/The specified bucket does not exist/, /other-bucket/),
    );
    await testStack.s3.send(new CreateBucketCommand({ Bucket: 'other-bucket' }));
    await toOther();
  });

  it('the Region is not that of the bucket: S3 says which one is', async () => {
    await expect(
      superuser.query(`SELECT aws_s3.query_export_to_s3('SELECT 1', '${BUCKET}', 'x', 'eu-central-1')`),
    ).rejects.toMatchObject(uploadRefused(/./, /us-west-2/));
  });

  it('the role is deleted: refused', async () => {
    await account.detach(ROLE, policy);
    await account.deletePolicy(policy);
    await account.putPolicy(ROLE, allow(['s3:PutObject'], OBJECTS));
    expect(await small()).toMatchObject({ rows: 1 });
    await account.deleteRole(ROLE);
    await expect(small()).rejects.toMatchObject({
      code: expect.stringMatching(/^(28000|58000)$/) as unknown,
    });
    await account.removeRole(ROLE_ARN);
    await expect(small()).rejects.toMatchObject(noRole);
  });
});

describe('what a policy allows', () => {
  const role = 'limited';
  const arn = `arn:aws:iam::000000000000:role/${role}`;

  beforeAll(async () => {
    await account.createRole(role);
    await account.addRole(arn);
  });
  afterAll(async () => account.removeRole(arn));
  afterEach(async () => testStack.expectNothingLeft(superuser));

  const to = (key: string, kmsKey: string | null = null) =>
    superuser.query(`SELECT aws_s3.query_export_to_s3('SELECT 1', $1, $2, kms_key := $3)`, [
      BUCKET,
      key,
      kmsKey,
    ]);

  it('one bucket and not another', async () => {
    await account.putPolicy(role, allow(['s3:PutObject'], ['arn:aws:s3:::not-this-one/*']));
    await expect(to('x')).rejects.toMatchObject(accessDenied);
  });

  it('one prefix and not another', async () => {
    await account.putPolicy(role, allow(['s3:PutObject'], [`arn:aws:s3:::${BUCKET}/mine/*`]));
    await to('mine/x');
    await expect(to('theirs/x')).rejects.toMatchObject(accessDenied);
    await expect(to('mine')).rejects.toMatchObject(accessDenied);
  });

  it('an explicit deny wins', async () => {
    const { Statement } = allow(['s3:*'], ['*']) as { Statement: object[] };
    const deny = { Effect: 'Deny', Action: 's3:PutObject', Resource: `arn:aws:s3:::${BUCKET}/secret/*` };
    await account.putPolicy(role, { Version: '2012-10-17', Statement: [...Statement, deny] });
    await to('open/x');
    await expect(to('secret/x')).rejects.toMatchObject(accessDenied);
  });

  it('only encrypted objects', async () => {
    const condition = { Condition: { StringEquals: { 's3:x-amz-server-side-encryption': 'aws:kms' } } };
    await account.putPolicy(role, allow(['s3:PutObject'], OBJECTS, condition));
    await expect(to('encrypted')).rejects.toMatchObject(accessDenied);
    await to('encrypted', 'alias/export-key');
  });

  it('no AbortMultipartUpload: the first error is told, with the upload that is left', async () => {
    // 10 MiB are sent before the query fails.
    await account.putPolicy(role, allow(['s3:PutObject'], OBJECTS));
    const query = `SELECT repeat('x', 1000), 1 / (20000 - g) FROM generate_series(1, 30000) AS g`;
    await expect(exportQuery(superuser, query, 'left')).rejects.toMatchObject({ code: '22012' });
    const { Uploads = [] } = await testStack.s3.send(new ListMultipartUploadsCommand({ Bucket: BUCKET }));
    expect(Uploads.map(({ Key }) => Key)).toEqual(['left']);
    // The abort is refused, and the caller does not wait for it.
    await expect.poll(() => testStack.agentLog(), { timeout: 10_000 }).toContain(Uploads[0]?.UploadId);
    await testStack.abortUploads();
  });
});
