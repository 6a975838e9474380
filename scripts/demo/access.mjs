// "Setting Up Access to an Amazon S3 Bucket": the aws commands of the guide. They are shown as one would type them, and
// executed with the AWS SDK, so that the demo does not need the aws command line.
import {
  AttachRolePolicyCommand,
  CreatePolicyCommand,
  CreateRoleCommand,
  IAMClient,
} from '@aws-sdk/client-iam';
import { AddRoleToDBClusterCommand, DescribeDBClustersCommand, RDSClient } from '@aws-sdk/client-rds';
import { setTimeout as delay } from 'node:timers/promises';
import { BUCKET } from './guide.mjs';
import { remark, say, typed } from './terminal.mjs';

const POLICY = {
  Version: '2012-10-17',
  Statement: [
    {
      Sid: 's3export',
      Action: ['S3:PutObject', 'S3:AbortMultipartUpload'],
      Effect: 'Allow',
      Resource: [`arn:aws:s3:::${BUCKET}/*`],
    },
  ],
};

const TRUST = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { Service: 'rds.amazonaws.com' }, Action: 'sts:AssumeRole' }],
};

const STATUS_TIMEOUT_MS = 30_000;

/** Gives the cluster a role that may write to the bucket, step by step. */
export async function setUpAccess({ aws, cluster }) {
  const { endpoint, region, accessKeyId, secretAccessKey } = aws;
  const settings = { endpoint, region, credentials: { accessKeyId, secretAccessKey } };
  const iam = new IAMClient(settings);
  const rds = new RDSClient(settings);
  try {
    const roleArn = await makeRole(iam);
    await addRole(rds, { cluster, roleArn, region });
  } finally {
    iam.destroy();
    rds.destroy();
  }
}

async function makeRole(iam) {
  const document = (policy) => `'${JSON.stringify(policy, undefined, 2)}'`;
  typed(
    '$',
    `aws iam create-policy  --policy-name rds-s3-export-policy  --policy-document ${document(POLICY)}`,
  );
  const { Policy } = await iam.send(
    new CreatePolicyCommand({ PolicyName: 'rds-s3-export-policy', PolicyDocument: JSON.stringify(POLICY) }),
  );
  remark(Policy.Arn);

  typed(
    '$',
    `aws iam create-role  --role-name rds-s3-export-role  --assume-role-policy-document ${document(TRUST)}`,
  );
  const { Role } = await iam.send(
    new CreateRoleCommand({
      RoleName: 'rds-s3-export-role',
      AssumeRolePolicyDocument: JSON.stringify(TRUST),
    }),
  );
  remark(Role.Arn);

  typed('$', `aws iam attach-role-policy  --policy-arn ${Policy.Arn}  --role-name rds-s3-export-role`);
  await iam.send(new AttachRolePolicyCommand({ RoleName: 'rds-s3-export-role', PolicyArn: Policy.Arn }));
  return Role.Arn;
}

async function addRole(rds, { cluster, roleArn, region }) {
  typed(
    '$',
    `aws rds add-role-to-db-cluster \\
     --db-cluster-identifier ${cluster} \\
     --feature-name s3Export \\
     --role-arn ${roleArn}   \\
     --region ${region}`,
  );
  await rds.send(
    new AddRoleToDBClusterCommand({
      DBClusterIdentifier: cluster,
      FeatureName: 's3Export',
      RoleArn: roleArn,
    }),
  );

  typed('$', `aws rds describe-db-clusters --query 'DBClusters[].AssociatedRoles[]' --output text`);
  const deadline = Date.now() + STATUS_TIMEOUT_MS;
  for (;;) {
    const { DBClusters } = await rds.send(new DescribeDBClustersCommand({ DBClusterIdentifier: cluster }));
    const [role] = DBClusters[0].AssociatedRoles;
    if (role.Status !== 'PENDING' || Date.now() > deadline) {
      say(`${role.FeatureName}\t${role.RoleArn}\t${role.Status}`);
      if (role.Status !== 'ACTIVE') throw new Error(`the role is ${role.Status}, not ACTIVE`);
      return;
    }
    await delay(100);
  }
}
