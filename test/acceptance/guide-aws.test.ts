import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AwsCommandLine } from '../support/aws-command-line.ts';
import { hasClient } from '../support/clients.ts';
import { addRole, attachPolicy, CREATE_ROLE, createPolicy } from '../support/guide-commands.ts';
import { BUCKET, TestStack } from '../support/test-stack.ts';

let testStack: TestStack;
let superuser: pg.Client;
let shell: AwsCommandLine;

beforeAll(async () => {
  testStack = await TestStack.start({ withRole: false });
  superuser = await testStack.connect();
});
afterAll(async () => testStack?.stop());

/** Runs a command, and gives its JSON output. */
async function type(command: string): Promise<unknown> {
  const printed = await shell.type(command);
  return printed === '' ? undefined : JSON.parse(printed);
}

describe.skipIf(!hasClient('aws'))('the guide, from its first aws command to its last SQL statement', () => {
  beforeAll(async () => {
    shell = await AwsCommandLine.at(testStack.stack.aws, testStack.stack.aws);
  });
  afterAll(() => shell?.[Symbol.asyncDispose]());

  it('is refused at first, and works at the end', async () => {
    const exporting = () =>
      superuser.query(`SELECT * FROM aws_s3.query_export_to_s3('SELECT 1', '${BUCKET}', 'sample-filepath')`);
    await expect(exporting()).rejects.toMatchObject({ code: '28000' });

    const policy = (await type(createPolicy(BUCKET))) as { Policy: { Arn: string } };
    const role = (await type(CREATE_ROLE)) as { Role: { Arn: string } };
    await type(attachPolicy(policy.Policy.Arn));
    await type(addRole(role.Role.Arn, testStack.stack.aws.region));

    const describeClusters = 'aws rds describe-db-clusters --db-cluster-identifier my-db-cluster';
    await expect
      .poll(() => type(describeClusters), { timeout: 60_000 })
      .toMatchObject({
        DBClusters: [
          {
            DBClusterIdentifier: 'my-db-cluster',
            AssociatedRoles: [{ RoleArn: role.Role.Arn, FeatureName: 's3Export', Status: 'ACTIVE' }],
          },
        ],
      });
    const { rows } = await exporting();
    expect(rows).toEqual([{ rows_uploaded: '1', files_uploaded: '1', bytes_uploaded: '2' }]);

    await type(addRole(role.Role.Arn, testStack.stack.aws.region).replace('add-role-to', 'remove-role-from'));
    await expect(exporting()).rejects.toMatchObject({ code: '28000' });
  });
});
