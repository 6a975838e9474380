import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { ClusterRoles } from '../../src/identity/cluster-roles.ts';
import { Sts } from '../../src/identity/sts.ts';
import { RdsApi } from '../../src/rds-api/rds-api.ts';
import { FakeSts } from '../identity/fake-sts.ts';

export const REGION = 'us-west-2';
export const CLUSTER = 'my-db-cluster';
export const INSTANCE = 'my-db-cluster-instance-1';
export const ROLE_ARN = 'arn:aws:iam::123456789012:role/rds-s3-export-role';
export const ACCESS_KEY = { id: 'AKIDRDSAPITEST', secret: 'a secret+/of the tests' };

export interface ApiFixture extends AsyncDisposable {
  endpoint: string;
  sts: FakeSts;
  roles: ClusterRoles;
}

/** The RDS API of a cluster, with an STS that allows everything by default. */
export async function startApi(): Promise<ApiFixture> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-rds-api-'));
  const fakeSts = await FakeSts.start();
  const log = pino({ level: 'silent' });
  const sts = new Sts({
    region: REGION,
    endpoint: fakeSts.endpoint,
    credentials: () => Promise.resolve({ accessKeyId: 'AKIABASE', secretAccessKey: 'secret' }),
  });
  const roles = await ClusterRoles.open({
    cluster: CLUSTER,
    stateDirectory: directory,
    sts,
    log,
    sessionDurationMs: 3_600_000,
    checkIntervalMs: 1_000,
    settleMs: 0,
  });
  const api = await RdsApi.open({
    listen: { host: '127.0.0.1', port: 0 },
    accessKeys: [{ id: 'AKIDANOTHER', secret: 'another' }, ACCESS_KEY],
    cluster: {
      identifier: CLUSTER,
      instanceIdentifier: INSTANCE,
      region: REGION,
      accountId: '123456789012',
      endpoint: 'db.example',
      port: 5433,
      engineVersion: '18.4',
    },
    roles,
    log,
  });
  return {
    endpoint: api.endpoint,
    sts: fakeSts,
    roles,
    async [Symbol.asyncDispose]() {
      await api.close();
      await roles.close();
      await fakeSts[Symbol.asyncDispose]();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
