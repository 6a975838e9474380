import {
  AttachRolePolicyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  DeleteRoleCommand,
  DeleteRolePolicyCommand,
  DeleteUserCommand,
  DetachRolePolicyCommand,
  GetRoleCommand,
  GetRolePolicyCommand,
  ListAttachedRolePoliciesCommand,
  ListInstanceProfilesForRoleCommand,
  ListRolePoliciesCommand,
  ListRolesCommand,
  ListRoleTagsCommand,
  PutRolePolicyCommand,
  TagRoleCommand,
  UntagRoleCommand,
  UpdateAssumeRolePolicyCommand,
  UpdateRoleCommand,
  type CreateRoleCommandInput,
  type IAMClient,
} from '@aws-sdk/client-iam';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  allow,
  policy,
  policyArn,
  roleArn,
  startIamServer,
  trust,
  TRUST_RDS,
  userArn,
  type IamServer,
} from './iam-server.ts';

let server: IamServer;
let iam: IAMClient;

beforeAll(async () => {
  server = await startIamServer();
  iam = server.iam();
});

afterAll(() => server.stop());

const DOCUMENT = policy(allow('s3:PutObject', 'arn:aws:s3:::b/*'));

async function create(RoleName: string, input: Partial<CreateRoleCommandInput> = {}) {
  const role = { RoleName, AssumeRolePolicyDocument: TRUST_RDS, ...input };
  return (await iam.send(new CreateRoleCommand(role))).Role;
}

describe('a role', () => {
  it('is given back as it was made', async () => {
    await create('made', {
      Path: '/team/',
      Description: 'exports',
      MaxSessionDuration: 7200,
      Tags: [{ Key: 'k', Value: 'v' }],
    });
    const { Role } = await iam.send(new GetRoleCommand({ RoleName: 'made' }));
    expect(Role).toMatchObject({
      Arn: roleArn('team/made'),
      Path: '/team/',
      Description: 'exports',
      MaxSessionDuration: 7200,
      Tags: [{ Key: 'k', Value: 'v' }],
    });
    expect(Role?.RoleId).toMatch(/^AROA[A-Z2-7]{17}$/);
    expect(decodeURIComponent(Role?.AssumeRolePolicyDocument ?? '')).toBe(TRUST_RDS);
  });

  it('is listed by its path', async () => {
    await create('listed', { Path: '/listed/' });
    const { Roles } = await iam.send(new ListRolesCommand({ PathPrefix: '/listed/' }));
    expect(Roles?.map(({ RoleName }) => RoleName)).toEqual(['listed']);
  });

  it('is unknown by the words of IAM', async () => {
    await expect(iam.send(new GetRoleCommand({ RoleName: 'none' }))).rejects.toMatchObject({
      name: 'NoSuchEntityException',
      message: 'The role with name none cannot be found.',
      $metadata: { httpStatusCode: 404 },
    });
  });

  it('has a name of its own, whatever the case', async () => {
    await create('Unique');
    await expect(create('unique')).rejects.toMatchObject({
      name: 'EntityAlreadyExistsException',
      message: 'Role with name unique already exists.',
      $metadata: { httpStatusCode: 409 },
    });
  });

  it('is changed', async () => {
    await create('changed');
    await iam.send(
      new UpdateRoleCommand({ RoleName: 'changed', Description: 'new', MaxSessionDuration: 43_200 }),
    );
    await iam.send(
      new UpdateAssumeRolePolicyCommand({
        RoleName: 'changed',
        PolicyDocument: trust({ AWS: userArn('local-admin') }),
      }),
    );
    const { Role } = await iam.send(new GetRoleCommand({ RoleName: 'changed' }));
    expect(Role).toMatchObject({ Description: 'new', MaxSessionDuration: 43_200 });
    expect(decodeURIComponent(Role?.AssumeRolePolicyDocument ?? '')).toContain(userArn('local-admin'));
  });

  it('is deleted when nothing hangs on it', async () => {
    const RoleName = 'deleted';
    const PolicyArn = 'arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess';
    await create(RoleName);
    await iam.send(new AttachRolePolicyCommand({ RoleName, PolicyArn }));
    await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: 'inline', PolicyDocument: DOCUMENT }));
    await expect(iam.send(new DeleteRoleCommand({ RoleName }))).rejects.toMatchObject({
      name: 'DeleteConflictException',
      message: 'Cannot delete entity, must detach all policies first.',
    });
    await iam.send(new DetachRolePolicyCommand({ RoleName, PolicyArn }));
    await expect(iam.send(new DeleteRoleCommand({ RoleName }))).rejects.toMatchObject({
      message: 'Cannot delete entity, must delete policies first.',
    });
    await iam.send(new DeleteRolePolicyCommand({ RoleName, PolicyName: 'inline' }));
    expect(await iam.send(new ListInstanceProfilesForRoleCommand({ RoleName }))).toMatchObject({
      InstanceProfiles: [],
    });
    await iam.send(new DeleteRoleCommand({ RoleName }));
    await expect(iam.send(new DeleteRoleCommand({ RoleName }))).rejects.toMatchObject({
      name: 'NoSuchEntityException',
    });
  });

  it('is tagged and untagged, whatever the case of the keys', async () => {
    const RoleName = 'tagged';
    await create(RoleName, { Tags: [{ Key: 'Team', Value: 'a' }] });
    await iam.send(
      new TagRoleCommand({
        RoleName,
        Tags: [
          { Key: 'team', Value: 'b' },
          { Key: 'x', Value: 'y' },
        ],
      }),
    );
    await iam.send(new UntagRoleCommand({ RoleName, TagKeys: ['x'] }));
    expect((await iam.send(new ListRoleTagsCommand({ RoleName }))).Tags).toEqual([
      { Key: 'team', Value: 'b' },
    ]);
  });
});

describe('the policies of a role', () => {
  it('are attached once, listed and detached', async () => {
    const RoleName = 'attaching';
    const PolicyArn = 'arn:aws:iam::aws:policy/AmazonS3FullAccess';
    await create(RoleName);
    await iam.send(new AttachRolePolicyCommand({ RoleName, PolicyArn }));
    await iam.send(new AttachRolePolicyCommand({ RoleName, PolicyArn }));
    expect(await iam.send(new ListAttachedRolePoliciesCommand({ RoleName }))).toMatchObject({
      AttachedPolicies: [{ PolicyName: 'AmazonS3FullAccess', PolicyArn }],
      IsTruncated: false,
    });
    await iam.send(new DetachRolePolicyCommand({ RoleName, PolicyArn }));
    await expect(iam.send(new DetachRolePolicyCommand({ RoleName, PolicyArn }))).rejects.toMatchObject({
      name: 'NoSuchEntityException',
      message: `Policy ${PolicyArn} was not found.`,
    });
  });

  it.each([
    [
      policyArn('none'),
      'NoSuchEntityException',
      `Policy ${policyArn('none')} does not exist or is not attachable.`,
    ],
    [
      'your-policy-arn-as-it-stands',
      'InvalidInputException',
      'ARN your-policy-arn-as-it-stands is not valid.',
    ],
    ['your-policy-arn', 'ValidationError', /greater than or equal to 20/],
  ])('are not attached as %s', async (PolicyArn, name, message) => {
    await create('refusing').catch(() => undefined);
    await expect(
      iam.send(new AttachRolePolicyCommand({ RoleName: 'refusing', PolicyArn })),
    ).rejects.toMatchObject({ name, message: expect.stringMatching(message) });
  });

  it('may be its own', async () => {
    const RoleName = 'inlined';
    await create(RoleName);
    await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: 'b', PolicyDocument: DOCUMENT }));
    await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: 'a', PolicyDocument: DOCUMENT }));
    await iam.send(new PutRolePolicyCommand({ RoleName, PolicyName: 'b', PolicyDocument: `${DOCUMENT} ` }));
    expect((await iam.send(new ListRolePoliciesCommand({ RoleName }))).PolicyNames).toEqual(['a', 'b']);
    const read = await iam.send(new GetRolePolicyCommand({ RoleName, PolicyName: 'b' }));
    expect(decodeURIComponent(read.PolicyDocument ?? '')).toBe(`${DOCUMENT} `);
    await expect(iam.send(new GetRolePolicyCommand({ RoleName, PolicyName: 'c' }))).rejects.toMatchObject({
      message: 'The role policy with name c cannot be found.',
    });
    await expect(
      iam.send(
        new PutRolePolicyCommand({
          RoleName,
          PolicyName: 'c',
          PolicyDocument: policy(allow('s3:PutObject', `arn:aws:s3:::${'x'.repeat(10_240)}`)),
        }),
      ),
    ).rejects.toMatchObject({
      name: 'LimitExceededException',
      message: 'Maximum policy size of 10240 bytes exceeded for role inlined',
    });
  });
});

describe('a trust policy', () => {
  it.each([
    ['a user that does not exist', { AWS: userArn('nobody') }, `"AWS":"${userArn('nobody')}"`],
    ['a role that does not exist', { AWS: roleArn('none') }, `"AWS":"${roleArn('none')}"`],
    ['a service that can not be', { Service: 'rds.example.com' }, '"SERVICE":"rds.example.com"'],
  ])('does not name %s', async (_what, principal, shown) => {
    await expect(create('untrusting', { AssumeRolePolicyDocument: trust(principal) })).rejects.toMatchObject({
      name: 'MalformedPolicyDocumentException',
      message: `Invalid principal in policy: ${shown}`,
    });
  });

  it('does not trust another user who is given the name of one that was deleted', async () => {
    const UserName = 'gone';
    const { User } = await iam.send(new CreateUserCommand({ UserName }));
    await create('trusts-gone', { AssumeRolePolicyDocument: trust({ AWS: userArn(UserName) }) });
    await iam.send(new DeleteUserCommand({ UserName }));
    await iam.send(new CreateUserCommand({ UserName }));
    const { Role } = await iam.send(new GetRoleCommand({ RoleName: 'trusts-gone' }));
    expect(JSON.parse(decodeURIComponent(Role?.AssumeRolePolicyDocument ?? ''))).toMatchObject({
      Statement: [{ Principal: { AWS: User?.UserId } }],
    });
  });
});
