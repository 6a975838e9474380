import {
  AttachRolePolicyCommand,
  CreatePolicyCommand,
  CreatePolicyVersionCommand,
  CreateRoleCommand,
  DeletePolicyCommand,
  DeletePolicyVersionCommand,
  DetachRolePolicyCommand,
  GetPolicyCommand,
  GetPolicyVersionCommand,
  ListEntitiesForPolicyCommand,
  ListPoliciesCommand,
  ListPolicyTagsCommand,
  ListPolicyVersionsCommand,
  paginateListPolicies,
  SetDefaultPolicyVersionCommand,
  TagPolicyCommand,
  UntagPolicyCommand,
  type IAMClient,
} from '@aws-sdk/client-iam';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allow, policy, policyArn, startIamServer, TRUST_RDS, type IamServer } from './iam-server.ts';

let server: IamServer;
let iam: IAMClient;

beforeAll(async () => {
  server = await startIamServer();
  iam = server.iam();
});

afterAll(() => server.stop());

const DOCUMENT = policy(allow('s3:PutObject', 'arn:aws:s3:::b/*'));

async function create(PolicyName: string, PolicyDocument = DOCUMENT): Promise<string> {
  const { Policy } = await iam.send(new CreatePolicyCommand({ PolicyName, PolicyDocument }));
  return Policy?.Arn ?? '';
}

describe('a managed policy', () => {
  it('is given back as it was made', async () => {
    const { Policy } = await iam.send(
      new CreatePolicyCommand({
        PolicyName: 'made',
        Path: '/team/',
        Description: 'a <policy> & more',
        PolicyDocument: `  ${DOCUMENT}\n`,
        Tags: [{ Key: 'owner', Value: 'ana' }],
      }),
    );
    const arn = policyArn('team/made');
    expect(Policy).toMatchObject({ PolicyName: 'made', Path: '/team/', Arn: arn, AttachmentCount: 0 });
    expect(Policy?.PolicyId).toMatch(/^ANPA[A-Z2-7]{17}$/);
    const read = await iam.send(new GetPolicyCommand({ PolicyArn: arn }));
    expect(read.Policy).toMatchObject({
      Description: 'a <policy> & more',
      Tags: [{ Key: 'owner', Value: 'ana' }],
      DefaultVersionId: 'v1',
      IsAttachable: true,
    });
    expect(read.Policy?.CreateDate?.getTime()).toBeGreaterThan(Date.now() - 60_000);
    const version = await iam.send(new GetPolicyVersionCommand({ PolicyArn: arn, VersionId: 'v1' }));
    expect(decodeURIComponent(version.PolicyVersion?.Document ?? '')).toBe(`  ${DOCUMENT}\n`);
  });

  it('has up to five versions, of which one counts', async () => {
    const PolicyArn = await create('versions');
    for (const SetAsDefault of [false, true, false, false]) {
      await iam.send(new CreatePolicyVersionCommand({ PolicyArn, PolicyDocument: DOCUMENT, SetAsDefault }));
    }
    await expect(
      iam.send(new CreatePolicyVersionCommand({ PolicyArn, PolicyDocument: DOCUMENT })),
    ).rejects.toMatchObject({
      name: 'LimitExceededException',
      message:
        'A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version.',
    });
    const { Versions = [] } = await iam.send(new ListPolicyVersionsCommand({ PolicyArn }));
    expect(Versions.map(({ VersionId }) => VersionId)).toEqual(['v5', 'v4', 'v3', 'v2', 'v1']);
    expect(Versions.find(({ IsDefaultVersion }) => IsDefaultVersion)?.VersionId).toBe('v3');
    await expect(
      iam.send(new DeletePolicyVersionCommand({ PolicyArn, VersionId: 'v3' })),
    ).rejects.toMatchObject({
      name: 'DeleteConflictException',
      message: 'Cannot delete the default version of a policy.',
    });
    await iam.send(new SetDefaultPolicyVersionCommand({ PolicyArn, VersionId: 'v1' }));
    await expect(iam.send(new DeletePolicyCommand({ PolicyArn }))).rejects.toMatchObject({
      name: 'DeleteConflictException',
    });
    for (const VersionId of ['v2', 'v3', 'v4', 'v5']) {
      await iam.send(new DeletePolicyVersionCommand({ PolicyArn, VersionId }));
    }
    const { PolicyVersion } = await iam.send(
      new CreatePolicyVersionCommand({ PolicyArn, PolicyDocument: DOCUMENT }),
    );
    expect(PolicyVersion?.VersionId).toBe('v6');
    await iam.send(new DeletePolicyVersionCommand({ PolicyArn, VersionId: 'v6' }));
    await iam.send(new DeletePolicyCommand({ PolicyArn }));
  });

  it('is not deleted while it is attached', async () => {
    const PolicyArn = await create('attached');
    const RoleName = 'has-attached';
    await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: TRUST_RDS }));
    await iam.send(new AttachRolePolicyCommand({ RoleName, PolicyArn }));
    expect((await iam.send(new GetPolicyCommand({ PolicyArn }))).Policy?.AttachmentCount).toBe(1);
    expect(await iam.send(new ListEntitiesForPolicyCommand({ PolicyArn }))).toMatchObject({
      PolicyRoles: [{ RoleName }],
      PolicyUsers: [],
    });
    await expect(iam.send(new DeletePolicyCommand({ PolicyArn }))).rejects.toMatchObject({
      name: 'DeleteConflictException',
      message: 'Cannot delete a policy attached to entities.',
    });
    await iam.send(new DetachRolePolicyCommand({ RoleName, PolicyArn }));
    await iam.send(new DeletePolicyCommand({ PolicyArn }));
    await expect(iam.send(new GetPolicyCommand({ PolicyArn }))).rejects.toMatchObject({
      name: 'NoSuchEntityException',
      message: `Policy ${PolicyArn} was not found.`,
    });
  });

  it('is tagged and untagged', async () => {
    const PolicyArn = await create('tagged');
    await iam.send(
      new TagPolicyCommand({
        PolicyArn,
        Tags: [
          { Key: 'a', Value: '1' },
          { Key: 'b', Value: '' },
        ],
      }),
    );
    await iam.send(new UntagPolicyCommand({ PolicyArn, TagKeys: ['a'] }));
    expect((await iam.send(new ListPolicyTagsCommand({ PolicyArn }))).Tags).toEqual([
      { Key: 'b', Value: '' },
    ]);
  });

  it.each([
    [
      'a name with a slash',
      { PolicyName: 'a/b', PolicyDocument: DOCUMENT },
      'ValidationError',
      /policyName is invalid/,
    ],
    [
      'a path without slashes',
      { PolicyName: 'p', Path: 'x', PolicyDocument: DOCUMENT },
      'ValidationError',
      /path/,
    ],
    [
      'a long name',
      { PolicyName: 'p'.repeat(129), PolicyDocument: DOCUMENT },
      'ValidationError',
      /less than or equal to 128/,
    ],
    [
      'no JSON',
      { PolicyName: 'p', PolicyDocument: 'x' },
      'MalformedPolicyDocumentException',
      /Syntax errors in policy\./,
    ],
    [
      'a principal',
      { PolicyName: 'p', PolicyDocument: policy({ ...allow('s3:*', '*'), Principal: '*' }) },
      'MalformedPolicyDocumentException',
      /should not specify a principal/,
    ],
    [
      'more than 6,144 characters',
      { PolicyName: 'p', PolicyDocument: policy(allow('s3:PutObject', `arn:aws:s3:::${'x'.repeat(6144)}`)) },
      'LimitExceededException',
      /Cannot exceed quota for PolicySize: 6144/,
    ],
  ])('is refused with %s', async (_what, input, name, message) => {
    await expect(iam.send(new CreatePolicyCommand(input))).rejects.toMatchObject({
      name,
      message: expect.stringMatching(message),
    });
  });
});

describe('the policies of AWS', () => {
  it('can be seen and attached, and not be changed', async () => {
    const PolicyArn = 'arn:aws:iam::aws:policy/AmazonS3FullAccess';
    expect((await iam.send(new GetPolicyCommand({ PolicyArn }))).Policy?.PolicyName).toBe(
      'AmazonS3FullAccess',
    );
    await expect(
      iam.send(new CreatePolicyVersionCommand({ PolicyArn, PolicyDocument: DOCUMENT })),
    ).rejects.toMatchObject({ name: 'AccessDenied' });
    await expect(iam.send(new DeletePolicyCommand({ PolicyArn }))).rejects.toMatchObject({
      name: 'AccessDenied',
    });
  });

  it('are listed beside the own ones, in pages', async () => {
    await create('listed');
    const all = await iam.send(new ListPoliciesCommand({}));
    const names: (string | undefined)[] = [];
    for await (const page of paginateListPolicies({ client: iam, pageSize: 1 }, {})) {
      expect(page.Policies).toHaveLength(1);
      names.push(...(page.Policies ?? []).map(({ PolicyName }) => PolicyName));
    }
    expect(names).toEqual(all.Policies?.map(({ PolicyName }) => PolicyName));
    const local = await iam.send(new ListPoliciesCommand({ Scope: 'Local' }));
    expect(local.Policies?.every(({ Arn }) => Arn?.startsWith(policyArn('')))).toBe(true);
    const attached = await iam.send(new ListPoliciesCommand({ OnlyAttached: true }));
    expect(attached.Policies?.map(({ PolicyName }) => PolicyName)).toEqual(['AdministratorAccess']);
  });
});
