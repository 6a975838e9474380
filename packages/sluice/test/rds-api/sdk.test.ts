import {
  AddRoleToDBClusterCommand,
  AddRoleToDBInstanceCommand,
  DescribeDBClustersCommand,
  DescribeDBEngineVersionsCommand,
  DescribeDBInstancesCommand,
  DescribeEventsCommand,
  RDSClient,
  RemoveRoleFromDBClusterCommand,
  RemoveRoleFromDBInstanceCommand,
  type RDSClientConfig,
} from '@aws-sdk/client-rds';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ACCESS_KEY, CLUSTER, INSTANCE, REGION, ROLE_ARN, startApi, type ApiFixture } from './api-fixture.ts';

const EXPORT = { RoleArn: ROLE_ARN, FeatureName: 's3Export' };
const OF_CLUSTER = { DBClusterIdentifier: CLUSTER, ...EXPORT };
const OF_INSTANCE = { DBInstanceIdentifier: INSTANCE, ...EXPORT };

let api: ApiFixture;
let rds: RDSClient;
const clients: RDSClient[] = [];

beforeEach(async () => {
  api = await startApi();
  rds = client();
});
afterEach(async () => {
  for (const one of clients.splice(0)) one.destroy();
  await api[Symbol.asyncDispose]();
});

function client(config: RDSClientConfig = {}): RDSClient {
  const made = new RDSClient({
    endpoint: api.endpoint,
    region: REGION,
    credentials: { accessKeyId: ACCESS_KEY.id, secretAccessKey: ACCESS_KEY.secret },
    maxAttempts: 1,
    ...config,
  });
  clients.push(made);
  return made;
}

describe('the RDS API, with the AWS SDK', () => {
  it('associates a role with the cluster, shows it, and removes it', async () => {
    await rds.send(new AddRoleToDBClusterCommand(OF_CLUSTER));
    await vi.waitFor(async () => {
      const { DBClusters } = await rds.send(new DescribeDBClustersCommand({ DBClusterIdentifier: CLUSTER }));
      expect(DBClusters?.[0]?.AssociatedRoles).toEqual([{ ...EXPORT, Status: 'ACTIVE' }]);
    }, 5_000);
    expect(api.roles.list()).toEqual([{ roleArn: ROLE_ARN, featureName: 's3Export', status: 'ACTIVE' }]);

    await rds.send(new RemoveRoleFromDBClusterCommand(OF_CLUSTER));
    const { DBClusters } = await rds.send(new DescribeDBClustersCommand({}));
    expect(DBClusters?.[0]?.AssociatedRoles).toEqual([]);
  });

  it('shows a role that cannot be assumed as INVALID', async () => {
    api.sts.answer = () => ({ status: 403, code: 'AccessDenied', message: 'no' });
    await rds.send(new AddRoleToDBClusterCommand(OF_CLUSTER));
    await vi.waitFor(async () => {
      const { DBClusters } = await rds.send(new DescribeDBClustersCommand({}));
      expect(DBClusters?.[0]?.AssociatedRoles).toEqual([{ ...EXPORT, Status: 'INVALID' }]);
    }, 5_000);
  });

  it('describes the cluster', async () => {
    const { DBClusters, Marker } = await rds.send(new DescribeDBClustersCommand({ MaxRecords: 20 }));
    expect(Marker).toBeUndefined();
    expect(DBClusters).toMatchObject([
      {
        DBClusterIdentifier: CLUSTER,
        DBClusterArn: `arn:aws:rds:us-west-2:123456789012:cluster:${CLUSTER}`,
        Status: 'available',
        Engine: 'aurora-postgresql',
        EngineVersion: '18.4',
        Endpoint: 'db.example',
        Port: 5433,
        MultiAZ: false,
        DBClusterMembers: [{ DBInstanceIdentifier: INSTANCE, IsClusterWriter: true }],
        AssociatedRoles: [],
      },
    ]);
  });

  it.each([
    [{ DBClusterIdentifier: 'MY-DB-Cluster' }, 1],
    [{ DBClusterIdentifier: `arn:aws:rds:us-west-2:123456789012:cluster:${CLUSTER}` }, 1],
    [{ Filters: [{ Name: 'db-cluster-id', Values: ['other', CLUSTER] }] }, 1],
    [{ Filters: [{ Name: 'db-cluster-id', Values: ['other'] }] }, 0],
    [
      {
        Filters: [
          { Name: 'db-cluster-id', Values: [CLUSTER] },
          { Name: 'engine', Values: ['aurora-mysql'] },
        ],
      },
      0,
    ],
  ])('finds clusters by %j', async (input, count) => {
    const { DBClusters } = await rds.send(new DescribeDBClustersCommand(input));
    expect(DBClusters).toHaveLength(count);
  });

  it('has the same roles for the instance', async () => {
    await rds.send(new AddRoleToDBInstanceCommand(OF_INSTANCE));
    const { DBInstances } = await rds.send(
      new DescribeDBInstancesCommand({ DBInstanceIdentifier: INSTANCE }),
    );
    expect(DBInstances).toMatchObject([
      {
        DBInstanceIdentifier: INSTANCE,
        DBClusterIdentifier: CLUSTER,
        Endpoint: { Address: 'db.example', Port: 5433 },
        AssociatedRoles: [EXPORT],
      },
    ]);
    await rds.send(new RemoveRoleFromDBInstanceCommand(OF_INSTANCE));
    expect(api.roles.list()).toEqual([]);
  });

  it('says which engines can export to S3', async () => {
    const all = await rds.send(new DescribeDBEngineVersionsCommand({ Engine: 'aurora-postgresql' }));
    expect(all.DBEngineVersions?.map(({ EngineVersion }) => EngineVersion)).toEqual([
      '14',
      '15',
      '16',
      '17',
      '18',
    ]);
    const one = await rds.send(
      new DescribeDBEngineVersionsCommand({ Engine: 'postgres', EngineVersion: '16.2' }),
    );
    expect(one.DBEngineVersions).toMatchObject([
      { Engine: 'postgres', EngineVersion: '16.2', SupportedFeatureNames: ['s3Export'] },
    ]);
    const none = await rds.send(new DescribeDBEngineVersionsCommand({ Engine: 'mysql' }));
    expect(none.DBEngineVersions).toEqual([]);
  });
});

describe('the errors of the RDS API', () => {
  it.each([
    [
      'DBClusterNotFoundFault',
      404,
      () => rds.send(new AddRoleToDBClusterCommand({ ...OF_CLUSTER, DBClusterIdentifier: 'other' })),
    ],
    [
      'DBClusterNotFoundFault',
      404,
      () => rds.send(new DescribeDBClustersCommand({ DBClusterIdentifier: 'other' })),
    ],
    ['DBClusterRoleNotFoundFault', 404, () => rds.send(new RemoveRoleFromDBClusterCommand(OF_CLUSTER))],
    [
      'DBInstanceNotFoundFault',
      404,
      () => rds.send(new DescribeDBInstancesCommand({ DBInstanceIdentifier: 'other' })),
    ],
    [
      'DBInstanceNotFoundFault',
      404,
      () => rds.send(new AddRoleToDBInstanceCommand({ ...OF_INSTANCE, DBInstanceIdentifier: 'other' })),
    ],
    ['DBInstanceRoleNotFoundFault', 404, () => rds.send(new RemoveRoleFromDBInstanceCommand(OF_INSTANCE))],
    [
      'InvalidParameterValue',
      400,
      () => rds.send(new AddRoleToDBClusterCommand({ ...OF_CLUSTER, RoleArn: '<script>' })),
    ],
    [
      'InvalidParameterValue',
      400,
      () => rds.send(new AddRoleToDBClusterCommand({ ...OF_CLUSTER, FeatureName: 's3export' })),
    ],
    ['InvalidParameterValue', 400, () => rds.send(new DescribeDBClustersCommand({ Marker: 'x' }))],
    [
      'InvalidParameterValue',
      400,
      () => rds.send(new DescribeDBClustersCommand({ Filters: [{ Name: 'domain', Values: ['x'] }] })),
    ],
    ['InvalidAction', 400, () => rds.send(new DescribeEventsCommand({}))],
  ])('%s (%i)', async (name, status, send) => {
    await expect(send()).rejects.toMatchObject({
      name,
      $metadata: { httpStatusCode: status },
    });
  });

  it('asks for the feature in the words of Amazon RDS', async () => {
    const command = new AddRoleToDBClusterCommand({ DBClusterIdentifier: CLUSTER, RoleArn: ROLE_ARN });
    await expect(rds.send(command)).rejects.toMatchObject({
      name: 'InvalidParameterValue',
      message:
        'The feature-name parameter must be provided with the current operation for the Aurora (PostgreSQL) engine.',
    });
  });

  it('refuses a role that is there, a second one for the feature, and a sixth', async () => {
    await rds.send(new AddRoleToDBClusterCommand(OF_CLUSTER));
    const second = new AddRoleToDBClusterCommand({ ...OF_CLUSTER, RoleArn: `${ROLE_ARN}-2` });
    for (const command of [new AddRoleToDBClusterCommand(OF_CLUSTER), second]) {
      await expect(rds.send(command)).rejects.toMatchObject({
        name: 'DBClusterRoleAlreadyExistsFault',
        message: expect.stringContaining(`The role ${ROLE_ARN} is already associated with the cluster`),
        $metadata: { httpStatusCode: 400 },
      });
    }
    await expect(rds.send(new AddRoleToDBInstanceCommand(OF_INSTANCE))).rejects.toMatchObject({
      name: 'DBInstanceRoleAlreadyExistsFault',
    });
    for (const FeatureName of ['s3Import', 'Lambda', 'Comprehend', 'SageMaker']) {
      await rds.send(new AddRoleToDBClusterCommand({ ...OF_CLUSTER, FeatureName }));
    }
    await expect(
      rds.send(new AddRoleToDBClusterCommand({ ...OF_CLUSTER, FeatureName: 'Bedrock' })),
    ).rejects.toMatchObject({ name: 'DBClusterRoleQuotaExceededFault', $metadata: { httpStatusCode: 400 } });
  });

  it.each([
    [
      'InvalidClientTokenId',
      { credentials: { accessKeyId: 'AKIDUNKNOWN', secretAccessKey: ACCESS_KEY.secret } },
    ],
    [
      'InvalidClientTokenId',
      { credentials: { accessKeyId: ACCESS_KEY.id, secretAccessKey: ACCESS_KEY.secret, sessionToken: 'x' } },
    ],
    ['SignatureDoesNotMatch', { credentials: { accessKeyId: ACCESS_KEY.id, secretAccessKey: 'wrong' } }],
    ['SignatureDoesNotMatch', { region: 'eu-central-1' }],
    ['RequestExpired', { systemClockOffset: -16 * 60_000 }],
    ['RequestExpired', { systemClockOffset: 16 * 60_000 }],
  ] as [string, RDSClientConfig][])('%s with %j', async (name, config) => {
    await expect(client(config).send(new AddRoleToDBClusterCommand(OF_CLUSTER))).rejects.toMatchObject({
      name,
    });
    expect(api.roles.list()).toEqual([]);
  });
});
