import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ACCESS_KEY, CLUSTER, INSTANCE, REGION, ROLE_ARN, startApi, type ApiFixture } from './api-fixture.ts';

const run = promisify(execFile);
const hasAws = spawnSync('aws', ['--version']).status === 0;
// Where clients are promised to be there, a missing one is a failure and no reason to skip.
const skip = !hasAws && process.env['SLUICE_REQUIRE_CLIENTS'] !== '1';

describe.skipIf(skip)('the RDS API, with the aws command line (needs `aws` on the PATH)', () => {
  let api: ApiFixture;

  beforeAll(async () => {
    if (!hasAws) throw new Error('aws is not on the PATH');
    api = await startApi();
  });
  afterAll(() => api[Symbol.asyncDispose]());

  // Never synchronously: the server is in this process.
  async function aws(...args: string[]): Promise<string> {
    const { stdout } = await run('aws', ['rds', ...args], {
      env: {
        PATH: process.env['PATH'],
        HOME: '/nonexistent',
        AWS_ACCESS_KEY_ID: ACCESS_KEY.id,
        AWS_SECRET_ACCESS_KEY: ACCESS_KEY.secret,
        AWS_DEFAULT_REGION: REGION,
        AWS_ENDPOINT_URL: api.endpoint,
        AWS_CONFIG_FILE: '/dev/null',
        AWS_PAGER: '',
      },
    });
    return stdout;
  }

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
