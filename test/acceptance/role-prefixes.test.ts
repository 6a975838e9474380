import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AwsAccount } from '../support/aws-account.ts';
import { BUCKET, exportQuery, TestStack } from '../support/test-stack.ts';

const DENIED = { code: '58000', detail: expect.stringMatching(/denied|not authorized/i) as unknown };

let testStack: TestStack;
let account: AwsAccount;
let superuser: pg.Client;
let one: { name: string; session: pg.Client };
let other: { name: string; session: pg.Client };

beforeAll(async () => {
  testStack = await TestStack.start({ withRole: false });
  account = new AwsAccount(testStack.stack);
  superuser = await testStack.connect();
  const connect = async () => {
    const role = await testStack.createRole(superuser, { mayExport: true });
    return { name: role.name, session: await testStack.connect(role) };
  };
  one = await connect();
  other = await connect();
  const arn = await account.createRole('prefixes');
  // The policy in SECURITY.md.
  await account.putPolicy('prefixes', {
    Version: '2012-10-17',
    Statement: [one, other].map(({ name }) => ({
      Effect: 'Allow',
      Action: ['s3:PutObject', 's3:AbortMultipartUpload'],
      Resource: `arn:aws:s3:::${BUCKET}/${name}/*`,
      Condition: { StringLike: { 'aws:userid': `*:${name}@${testStack.stack.cluster}` } },
    })),
  });
  await account.addRole(arn);
});
afterAll(async () => {
  account?.close();
  await testStack?.stop();
});

describe('a policy that gives each database role a prefix', () => {
  it('lets each export below its own, and nowhere else', async () => {
    for (const [own, foreign] of [
      [one, other],
      [other, one],
    ] as const) {
      expect(await exportQuery(own.session, 'SELECT 1', `${own.name}/x`)).toMatchObject({ rows: 1 });
      await expect(exportQuery(own.session, 'SELECT 2', `${foreign.name}/x`)).rejects.toMatchObject(DENIED);
      await expect(exportQuery(own.session, 'SELECT 2', 'x')).rejects.toMatchObject(DENIED);
    }
    expect((await testStack.object(`${one.name}/x`)).toString()).toBe('1\n');
  });

  it('is not got round by a member of pg_write_server_files, nor in a SECURITY DEFINER function of another', async () => {
    await superuser.query(`
      GRANT pg_write_server_files TO ${one.name};
      CREATE FUNCTION public.as_superuser(key text) RETURNS bigint LANGUAGE sql SECURITY DEFINER AS $$
        SELECT rows_uploaded FROM aws_s3.query_export_to_s3('SELECT 3', '${BUCKET}', key)
      $$`);
    await expect(exportQuery(one.session, 'SELECT 2', `${other.name}/x`)).rejects.toMatchObject(DENIED);
    for (const { name, session } of [one, other]) {
      const call = (key: string) => session.query('SELECT public.as_superuser($1)', [key]);
      await expect(call(`${name}/definer`)).resolves.toMatchObject({ rowCount: 1 });
      await expect(call('elsewhere')).rejects.toMatchObject(DENIED);
    }
  });
});
