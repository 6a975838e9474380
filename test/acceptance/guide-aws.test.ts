import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasClient, runClient } from '../support/clients.ts';
import { BUCKET, TestStack } from '../support/test-stack.ts';

/** The commands of the guide, Linux form, as they stand there; only the placeholders are filled in. */
const CREATE_POLICY = `aws iam create-policy  --policy-name rds-s3-export-policy  --policy-document '{
        "Version": "2012-10-17",
        "Statement": [
          {
            "Sid": "s3export",
            "Action": [
              "S3:PutObject"
            ],
            "Effect": "Allow",
            "Resource": [
              "arn:aws:s3:::${BUCKET}/*"
            ] 
          }
        ] 
      }'`;
const CREATE_ROLE = `aws iam create-role  --role-name rds-s3-export-role  --assume-role-policy-document '{
        "Version": "2012-10-17",
        "Statement": [
          {
            "Effect": "Allow",
            "Principal": {
               "Service": "rds.amazonaws.com"
             },
            "Action": "sts:AssumeRole"
          }
        ] 
      }'`;
const ATTACH = (policyArn: string) =>
  `aws iam attach-role-policy  --policy-arn ${policyArn}  --role-name rds-s3-export-role`;
const ADD_ROLE = (roleArn: string, region: string) => `aws rds add-role-to-db-cluster \\
     --db-cluster-identifier my-db-cluster \\
     --feature-name s3Export \\
     --role-arn ${roleArn}   \\
     --region ${region}`;

let testStack: TestStack;
let superuser: pg.Client;

beforeAll(async () => {
  testStack = await TestStack.start({ withRole: false });
  superuser = await testStack.connect();
});
afterAll(async () => testStack?.stop());

/** Types a command into a shell whose environment names the local endpoint, and gives back what it prints as JSON. */
async function type(command: string): Promise<unknown> {
  const { endpoint, region, accessKeyId, secretAccessKey } = testStack.stack.aws;
  const { status, stdout, stderr } = await runClient('sh', ['-c', command], {
    env: {
      AWS_ENDPOINT_URL: endpoint,
      AWS_DEFAULT_REGION: region,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      AWS_CONFIG_FILE: '/dev/null',
      AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    },
  });
  expect({ command, status, stderr }).toEqual({ command, status: 0, stderr: '' });
  return stdout === '' ? undefined : JSON.parse(stdout);
}

describe.skipIf(!hasClient('aws'))('the guide, from its first aws command to its last SQL statement', () => {
  it('is refused at first, and works at the end', async () => {
    const exporting = () =>
      superuser.query(`SELECT * FROM aws_s3.query_export_to_s3('SELECT 1', '${BUCKET}', 'sample-filepath')`);
    await expect(exporting()).rejects.toMatchObject({ code: '28000' });

    const policy = (await type(CREATE_POLICY)) as { Policy: { Arn: string } };
    const role = (await type(CREATE_ROLE)) as { Role: { Arn: string } };
    await type(ATTACH(policy.Policy.Arn));
    await type(ADD_ROLE(role.Role.Arn, testStack.stack.aws.region));

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

    await type(
      ADD_ROLE(role.Role.Arn, testStack.stack.aws.region).replace('add-role-to', 'remove-role-from'),
    );
    await expect(exporting()).rejects.toMatchObject({ code: '28000' });
  });
});
