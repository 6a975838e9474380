import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AwsCommandLine } from '../../../../test/support/aws-command-line.ts';
import { hasClient } from '../../../../test/support/clients.ts';
import { ACCESS_KEY, CLUSTER, INSTANCE, REGION, ROLE_ARN, startApi, type ApiFixture } from './api-fixture.ts';

describe.skipIf(!hasClient('aws'))('the RDS API, with the aws command line (needs `aws` on the PATH)', () => {
  let api: ApiFixture;
  let commandLine: AwsCommandLine;

  beforeAll(async () => {
    api = await startApi();
    const key = { accessKeyId: ACCESS_KEY.id, secretAccessKey: ACCESS_KEY.secret };
    commandLine = await AwsCommandLine.at({ endpoint: api.endpoint, region: REGION }, key);
  });
  afterAll(async () => {
    await api?.[Symbol.asyncDispose]();
    await commandLine?.[Symbol.asyncDispose]();
  });

  const aws = (...args: string[]) => commandLine.aws(['rds', ...args]);

  // As https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/postgresql-s3-export-access-bucket.html writes it.
  const association = [
    '--db-cluster-identifier',
    CLUSTER,
    '--feature-name',
    's3Export',
    '--role-arn',
    ROLE_ARN,
    '--region',
    REGION,
  ];

  async function roles(): Promise<unknown> {
    return JSON.parse(
      await aws('describe-db-clusters', '--query', 'DBClusters[0].AssociatedRoles', '--output', 'json'),
    );
  }

  it("follows the guide's commands: add-role-to-db-cluster, and what shows it", async () => {
    expect(await aws('add-role-to-db-cluster', ...association)).toBe('');
    for (let tries = 0; tries < 10 && !JSON.stringify(await roles()).includes('ACTIVE'); tries++)
      await delay(200);
    expect(await roles()).toEqual([{ RoleArn: ROLE_ARN, FeatureName: 's3Export', Status: 'ACTIVE' }]);
    await expect(aws('add-role-to-db-cluster', ...association)).rejects.toThrow(
      /\(DBClusterRoleAlreadyExists\)/,
    );
    expect(
      await aws('describe-db-clusters', '--db-cluster-identifier', CLUSTER, '--output', 'text'),
    ).toContain(ROLE_ARN);
    expect(await aws('remove-role-from-db-cluster', ...association)).toBe('');
    expect(await roles()).toEqual([]);
    await expect(aws('remove-role-from-db-cluster', ...association)).rejects.toThrow(
      /\(DBClusterRoleNotFound\)/,
    );
  });

  it('does the same for the instance', async () => {
    const ofInstance = [
      '--db-instance-identifier',
      INSTANCE,
      '--feature-name',
      's3Export',
      '--role-arn',
      ROLE_ARN,
    ];
    await aws('add-role-to-db-instance', ...ofInstance);
    expect(await aws('describe-db-instances', '--db-instance-identifier', INSTANCE)).toContain(ROLE_ARN);
    await aws('remove-role-from-db-instance', ...ofInstance);
  });

  it('says that the engine can export to S3', async () => {
    const versions = await aws(
      'describe-db-engine-versions',
      '--engine',
      'aurora-postgresql',
      '--engine-version',
      '18.4',
    );
    expect(versions).toContain('s3Export');
  });

  it('waits until the cluster is available', async () => {
    expect(await aws('wait', 'db-cluster-available', '--db-cluster-identifier', CLUSTER)).toBe('');
  });
});
