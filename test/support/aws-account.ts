import { randomBytes } from 'node:crypto';
import {
  AttachRolePolicyCommand,
  CreateAccessKeyCommand,
  CreatePolicyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  DeletePolicyCommand,
  DeleteRoleCommand,
  DeleteRolePolicyCommand,
  DetachRolePolicyCommand,
  IAMClient,
  PutRolePolicyCommand,
  PutUserPolicyCommand,
  UpdateAssumeRolePolicyCommand,
} from '@aws-sdk/client-iam';
import {
  AddRoleToDBClusterCommand,
  DescribeDBClustersCommand,
  RDSClient,
  RemoveRoleFromDBClusterCommand,
} from '@aws-sdk/client-rds';
import type { LocalStack } from '@sluice/local';

/** The trust policy of the guide, with which an Aurora cluster can assume a role. */
export const TRUST_RDS = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { Service: 'rds.amazonaws.com' }, Action: 'sts:AssumeRole' }],
};

const OWN_POLICY = 'own';

/** A policy of one statement. */
export function allow(actions: readonly string[], resources: readonly string[], more: object = {}): object {
  return {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: actions, Resource: resources, ...more }],
  };
}

/** IAM and the RDS API of a local stack, used by its administrator. */
export class AwsAccount {
  readonly #iam: IAMClient;
  readonly #rds: RDSClient;
  readonly #cluster: string;

  constructor({ aws, cluster }: LocalStack) {
    const { endpoint, region, accessKeyId, secretAccessKey } = aws;
    const settings = { endpoint, region, credentials: { accessKeyId, secretAccessKey } };
    this.#iam = new IAMClient(settings);
    this.#rds = new RDSClient(settings);
    this.#cluster = cluster;
  }

  /** @returns the ARN */
  async createRole(name: string, trust: object = TRUST_RDS): Promise<string> {
    const { Role } = await this.#iam.send(
      new CreateRoleCommand({ RoleName: name, AssumeRolePolicyDocument: JSON.stringify(trust) }),
    );
    return arnOf(Role?.Arn);
  }

  async setTrust(role: string, trust: object): Promise<void> {
    await this.#iam.send(
      new UpdateAssumeRolePolicyCommand({ RoleName: role, PolicyDocument: JSON.stringify(trust) }),
    );
  }

  /** A new user with one policy. @returns the user's keys, as the variables that the AWS programs read */
  async userWith(policy: object): Promise<{ AWS_ACCESS_KEY_ID: string; AWS_SECRET_ACCESS_KEY: string }> {
    const UserName = `user-${randomBytes(4).toString('hex')}`;
    await this.#iam.send(new CreateUserCommand({ UserName }));
    await this.#iam.send(
      new PutUserPolicyCommand({
        UserName,
        PolicyName: OWN_POLICY,
        PolicyDocument: JSON.stringify(policy),
      }),
    );
    const { AccessKey } = await this.#iam.send(new CreateAccessKeyCommand({ UserName }));
    const { AccessKeyId: AWS_ACCESS_KEY_ID = '', SecretAccessKey: AWS_SECRET_ACCESS_KEY = '' } =
      AccessKey ?? {};
    return { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY };
  }

  /** Deletes a role and its inline policy; no other policy may be attached. */
  async deleteRole(name: string): Promise<void> {
    await this.#iam.send(new DeleteRolePolicyCommand({ RoleName: name, PolicyName: OWN_POLICY }));
    await this.#iam.send(new DeleteRoleCommand({ RoleName: name }));
  }

  /** @returns the ARN */
  async createPolicy(name: string, document: object): Promise<string> {
    const { Policy } = await this.#iam.send(
      new CreatePolicyCommand({ PolicyName: name, PolicyDocument: JSON.stringify(document) }),
    );
    return arnOf(Policy?.Arn);
  }

  async deletePolicy(arn: string): Promise<void> {
    await this.#iam.send(new DeletePolicyCommand({ PolicyArn: arn }));
  }

  async attach(role: string, policyArn: string): Promise<void> {
    await this.#iam.send(new AttachRolePolicyCommand({ RoleName: role, PolicyArn: policyArn }));
  }

  async detach(role: string, policyArn: string): Promise<void> {
    await this.#iam.send(new DetachRolePolicyCommand({ RoleName: role, PolicyArn: policyArn }));
  }

  /** Replaces the role's inline policy. */
  async putPolicy(role: string, document: object): Promise<void> {
    await this.#iam.send(
      new PutRolePolicyCommand({
        RoleName: role,
        PolicyName: OWN_POLICY,
        PolicyDocument: JSON.stringify(document),
      }),
    );
  }

  async addRole(arn: string, feature = 's3Export'): Promise<void> {
    await this.#rds.send(
      new AddRoleToDBClusterCommand({
        DBClusterIdentifier: this.#cluster,
        RoleArn: arn,
        FeatureName: feature,
      }),
    );
  }

  async removeRole(arn: string, feature = 's3Export'): Promise<void> {
    await this.#rds.send(
      new RemoveRoleFromDBClusterCommand({
        DBClusterIdentifier: this.#cluster,
        RoleArn: arn,
        FeatureName: feature,
      }),
    );
  }

  /** Runs something while exactly these roles are associated for s3Export. */
  async withRoles<T>(arns: readonly string[], work: () => Promise<T>): Promise<T> {
    const before = (await this.roles()).map(({ arn }) => arn);
    try {
      for (const arn of before) await this.removeRole(arn);
      for (const arn of arns) await this.addRole(arn);
      return await work();
    } finally {
      for (const arn of arns) await this.removeRole(arn);
      for (const arn of before) await this.addRole(arn);
    }
  }

  /** The roles of the cluster and their status. */
  async roles(): Promise<{ arn: string; status: string }[]> {
    const { DBClusters = [] } = await this.#rds.send(
      new DescribeDBClustersCommand({ DBClusterIdentifier: this.#cluster }),
    );
    return (DBClusters[0]?.AssociatedRoles ?? []).map(({ RoleArn, Status }) => ({
      arn: arnOf(RoleArn),
      status: Status ?? '',
    }));
  }

  /** Sets up everything that an export needs, for tests of something else. */
  async associateExportRole(): Promise<void> {
    const role = await this.createRole('test-export');
    await this.putPolicy('test-export', allow(['s3:*'], ['*']));
    await this.addRole(role);
  }

  close(): void {
    this.#iam.destroy();
    this.#rds.destroy();
  }
}

function arnOf(arn: string | undefined): string {
  if (arn === undefined) throw new Error('AWS gave no ARN');
  return arn;
}
