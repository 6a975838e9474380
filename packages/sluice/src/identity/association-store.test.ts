import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AssociationStore } from './association-store.ts';
import { FEATURE_NAMES, parseAssociationKey } from './role-association.ts';

const ARN = 'arn:aws:iam::123456789012:role/export';
const EXPORT = { roleArn: ARN, featureName: 's3Export' } as const;

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-roles-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

describe('AssociationStore', () => {
  it('keeps associations over a restart, readable by us only', async () => {
    const store = await AssociationStore.open(directory);
    expect(await store.add(EXPORT)).toEqual({ ...EXPORT, status: 'PENDING' });
    await store.add({ roleArn: ARN, featureName: 's3Import' });
    await store.setStatus(EXPORT, 'ACTIVE');

    const again = await AssociationStore.open(directory);
    expect(again.list()).toEqual([
      { ...EXPORT, status: 'ACTIVE' },
      { roleArn: ARN, featureName: 's3Import', status: 'PENDING' },
    ]);
    expect(again.find('s3Export')?.roleArn).toBe(ARN);
    expect(await readdir(directory)).toEqual(['role-associations.json']);
    expect((await stat(join(directory, 'role-associations.json'))).mode & 0o777).toBe(0o600);
  });

  it('has one role for a feature, of many that are added at once', async () => {
    const store = await AssociationStore.open(directory);
    const added = await Promise.allSettled(
      Array.from({ length: 10 }, (_, n) => store.add({ ...EXPORT, roleArn: `${ARN}${n}` })),
    );
    expect(added.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    await expect(store.add(EXPORT)).rejects.toMatchObject({
      code: 'role_already_associated',
      message: `the role ${ARN}0 is already associated with the cluster for the feature s3Export`,
    });
    expect((await AssociationStore.open(directory)).list()).toHaveLength(1);
  });

  it('has five roles at most', async () => {
    const store = await AssociationStore.open(directory);
    const [last, ...others] = FEATURE_NAMES.toReversed();
    for (const featureName of others) await store.add({ roleArn: ARN, featureName });
    expect(last).toBeDefined();
    await expect(store.add({ roleArn: ARN, featureName: last ?? 's3Export' })).rejects.toMatchObject({
      code: 'role_quota_exceeded',
    });
  });

  it('removes what is there, and says when it is not', async () => {
    const store = await AssociationStore.open(directory);
    await store.add(EXPORT);
    await expect(store.remove({ ...EXPORT, featureName: 's3Import' })).rejects.toMatchObject({
      code: 'role_not_associated',
    });
    await store.remove(EXPORT);
    await store.setStatus(EXPORT, 'ACTIVE');
    expect((await AssociationStore.open(directory)).list()).toEqual([]);
  });

  it('leaves the old file, and goes on, when a change cannot be written', async () => {
    const store = await AssociationStore.open(directory);
    await store.add(EXPORT);
    const before = await readFile(join(directory, 'role-associations.json'), 'utf8');
    await rm(directory, { recursive: true });
    await expect(store.remove(EXPORT)).rejects.toMatchObject({ code: 'ENOENT' });
    expect(store.list()).toHaveLength(1);
    const again = await AssociationStore.open(directory);
    await writeFile(join(directory, 'role-associations.json'), before);
    await again.add(EXPORT);
    await store.remove(EXPORT);
    expect(store.list()).toEqual([]);
  });

  it.each([
    'not JSON',
    '{"version": 2, "roles": []}',
    '{"version": 1, "roles": [{"roleArn": "x", "featureName": "s3Export", "status": "ACTIVE"}]}',
    JSON.stringify({
      version: 1,
      roles: [1, 2].map((n) => ({ ...EXPORT, roleArn: `${ARN}${n}`, status: 'ACTIVE' })),
    }),
  ])('refuses a file that it did not write: %s', async (text) => {
    await writeFile(join(directory, 'role-associations.json'), text);
    await expect(AssociationStore.open(directory)).rejects.toMatchObject({ code: 'config_invalid' });
  });
});

describe('parseAssociationKey', () => {
  it.each([
    'arn:aws:iam::123456789012:role/a/path/name',
    'arn:aws-cn:iam::123456789012:role/x',
    'arn:aws:iam:::role/ceph',
  ])('takes %s', (roleArn) => {
    expect(parseAssociationKey(roleArn, 's3Export')).toEqual({ roleArn, featureName: 's3Export' });
  });

  it.each([
    '',
    'export',
    'arn:aws:iam::123456789012:user/x',
    'arn:aws:iam::123456789012:role/',
    `${ARN}\n`,
    `${ARN} `,
  ])('refuses the ARN %j', (roleArn) => {
    expect(() => parseAssociationKey(roleArn, 's3Export')).toThrow(/not the ARN of an IAM role/);
  });

  it.each(['', 's3export', 'toString'])('refuses the feature %j', (featureName) => {
    expect(() => parseAssociationKey(ARN, featureName)).toThrow(/there is no feature/);
  });
});
