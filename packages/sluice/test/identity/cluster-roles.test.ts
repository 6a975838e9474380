import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ClusterRoles, type ClusterRolesOptions } from '../../src/identity/cluster-roles.ts';
import { Sts } from '../../src/identity/sts.ts';
import { FakeSts, type StsAnswer } from './fake-sts.ts';

const ROLE_ARN = 'arn:aws:iam::123456789012:role/export';
const DENIED: StsAnswer = { status: 403, code: 'AccessDenied', message: 'not authorized' };

let fake: FakeSts;
let directory: string;
const open: ClusterRoles[] = [];

beforeEach(async () => {
  fake = await FakeSts.start();
  directory = await mkdtemp(join(tmpdir(), 'sluice-roles-'));
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((roles) => roles.close()));
  await fake[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

async function openRoles(options: Partial<ClusterRolesOptions> = {}): Promise<ClusterRoles> {
  const sts = new Sts({
    region: 'us-west-2',
    endpoint: fake.endpoint,
    credentials: () => Promise.resolve({ accessKeyId: 'AKIABASE', secretAccessKey: 'secret' }),
  });
  const roles = await ClusterRoles.open({
    cluster: 'my-db-cluster',
    stateDirectory: directory,
    sts,
    log: pino({ level: 'silent' }),
    sessionDurationMs: 3_600_000,
    checkIntervalMs: 1_000,
    ...options,
  });
  open.push(roles);
  return roles;
}

async function expectStatus(roles: ClusterRoles, status: string): Promise<void> {
  await vi.waitFor(() => expect(roles.list()).toMatchObject([{ roleArn: ROLE_ARN, status }]), 5_000);
}

describe('the status of a role', () => {
  it('is PENDING when it is added, and ACTIVE when it can be assumed', async () => {
    const roles = await openRoles();
    expect(await roles.add(ROLE_ARN, 's3Export')).toMatchObject({ status: 'PENDING' });
    await roles.known(ROLE_ARN, { timeoutMs: 5_000 });
    expect(roles.list()).toEqual([{ roleArn: ROLE_ARN, featureName: 's3Export', status: 'ACTIVE' }]);
    expect(fake.assumed[0]?.parameters.get('RoleSessionName')).toBe('=role-check@my-db-cluster');
  });

  it('is INVALID, with the reason, when it cannot be assumed, and ACTIVE again when that is mended', async () => {
    const roles = await openRoles({ settleMs: 0 });
    fake.answer = () => DENIED;
    await roles.add(ROLE_ARN, 's3Export');
    await expectStatus(roles, 'INVALID');
    expect(roles.list()[0]?.reason).toContain('trust policy');
    fake.answer = () => ({ lifetimeMs: 3_600_000 });
    await expectStatus(roles, 'ACTIVE');
    expect(roles.list()[0]?.reason).toBeUndefined();
    fake.answer = () => DENIED;
    await expectStatus(roles, 'INVALID');
  });

  it('stays PENDING for a while when a new role is refused: AWS may not know it everywhere yet', async () => {
    const roles = await openRoles({ settleMs: 60_000 });
    fake.answer = (_call, number) => (number <= 2 ? DENIED : { lifetimeMs: 3_600_000 });
    await roles.add(ROLE_ARN, 's3Export');
    await vi.waitFor(() => expect(fake.assumed.length).toBeGreaterThan(1), 5_000);
    expect(roles.list()[0]?.status).toBe('PENDING');
    await expectStatus(roles, 'ACTIVE');
  });

  it('does not change when STS gives no answer that counts', async () => {
    const roles = await openRoles();
    await roles.add(ROLE_ARN, 's3Export');
    await expectStatus(roles, 'ACTIVE');
    fake.answer = () => ({ status: 503, code: 'ServiceUnavailable', message: 'later' });
    const before = fake.assumed.length;
    await vi.waitFor(() => expect(fake.assumed.length).toBeGreaterThan(before + 2), 10_000);
    expect(roles.list()[0]?.status).toBe('ACTIVE');
  });

  it('follows what exports meet', async () => {
    const roles = await openRoles({ checkIntervalMs: 3_600_000, settleMs: 0 });
    await roles.add(ROLE_ARN, 's3Export');
    await expectStatus(roles, 'ACTIVE');
    fake.answer = () => DENIED;
    await expect(roles.credentials(roles.exportSession('alice'))).rejects.toMatchObject({
      failure: 'denied',
    });
    await expectStatus(roles, 'INVALID');
    fake.answer = () => ({ lifetimeMs: 3_600_000 });
    await roles.credentials(roles.exportSession('alice'));
    await expectStatus(roles, 'ACTIVE');
  });

  it('is checked again after a restart', async () => {
    const first = await openRoles();
    await first.add(ROLE_ARN, 's3Export');
    await expectStatus(first, 'ACTIVE');
    await first.close();
    fake.answer = () => DENIED;
    const again = await openRoles();
    expect(again.list()).toMatchObject([{ status: 'ACTIVE' }]);
    await expectStatus(again, 'INVALID');
  });
});

describe('an export', () => {
  it('has no credentials without a role for s3Export', async () => {
    const roles = await openRoles();
    await roles.add(ROLE_ARN, 's3Import');
    expect(() => roles.exportSession('alice')).toThrow(
      expect.objectContaining({
        code: 'credentials_unavailable',
        message: "credentials stored with the database cluster can't be accessed",
        detail: undefined,
        hint: 'Has the IAM role Amazon Resource Name (ARN) been associated with the feature-name "s3Export"?',
      }),
    );
    await roles.add(ROLE_ARN, 's3Export');
    await roles.credentials(roles.exportSession('alice'));
    await roles.remove(ROLE_ARN, 's3Export');
    expect(() => roles.exportSession('alice')).toThrow(/can't be accessed/);
  });

  it('asks anew for the credentials of a role that was removed and added', async () => {
    const roles = await openRoles();
    await roles.add(ROLE_ARN, 's3Export');
    await roles.credentials(roles.exportSession('alice'));
    await roles.remove(ROLE_ARN, 's3Export');
    fake.answer = () => DENIED;
    await roles.add(ROLE_ARN, 's3Export');
    await expect(roles.credentials(roles.exportSession('alice'))).rejects.toMatchObject({
      failure: 'denied',
    });
  });
});
