import {
  AttachUserPolicyCommand,
  CreateAccessKeyCommand,
  CreateUserCommand,
  DeleteAccessKeyCommand,
  DeleteUserCommand,
  DetachUserPolicyCommand,
  GetUserCommand,
  ListAccessKeysCommand,
  ListGroupsForUserCommand,
  ListRolesCommand,
  ListUsersCommand,
  PutUserPermissionsBoundaryCommand,
  PutUserPolicyCommand,
  UpdateAccessKeyCommand,
  type IAMClient,
} from '@aws-sdk/client-iam';
import { ListBucketsCommand } from '@aws-sdk/client-s3';
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { sendSigned } from '../s3/raw-request.ts';
import { allow, policy, startIamServer, userArn, type Credentials, type IamServer } from './iam-server.ts';

let server: IamServer;
let iam: IAMClient;

beforeAll(async () => {
  server = await startIamServer();
  iam = server.iam();
});

afterAll(() => server.stop());

/** Makes a user with a key. */
async function createUser(UserName: string): Promise<Credentials> {
  await iam.send(new CreateUserCommand({ UserName }));
  return createKey(UserName);
}

async function createKey(UserName: string): Promise<Credentials> {
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }));
  return {
    accessKeyId: AccessKey?.AccessKeyId ?? '',
    secretAccessKey: AccessKey?.SecretAccessKey ?? '',
  };
}

it('a user with a key and a policy may do what the policy allows', async () => {
  const ana = await createUser('ana');
  expect(ana.accessKeyId).toMatch(/^AKIA[A-Z2-7]{16}$/);
  expect(await server.sts(ana).send(new GetCallerIdentityCommand({}))).toMatchObject({ Arn: userArn('ana') });
  await expect(server.s3(ana).send(new ListBucketsCommand({}))).rejects.toMatchObject({
    name: 'AccessDenied',
    message: `User: ${userArn('ana')} is not authorized to perform: s3:ListAllMyBuckets because no identity-based policy allows the s3:ListAllMyBuckets action`,
  });
  const PolicyArn = 'arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess';
  await iam.send(new AttachUserPolicyCommand({ UserName: 'ana', PolicyArn }));
  await server.s3(ana).send(new ListBucketsCommand({}));
  await iam.send(new DetachUserPolicyCommand({ UserName: 'ana', PolicyArn }));
  await expect(server.s3(ana).send(new ListBucketsCommand({}))).rejects.toMatchObject({
    name: 'AccessDenied',
  });
});

it('calls of IAM itself are authorised, on the ARN of what they are about', async () => {
  const ben = await createUser('ben');
  const asBen = server.iam(ben);
  await expect(asBen.send(new GetUserCommand({}))).rejects.toMatchObject({
    name: 'AccessDenied',
    message: `User: ${userArn('ben')} is not authorized to perform: iam:GetUser on resource: ${userArn('ben')} because no identity-based policy allows the iam:GetUser action`,
    $metadata: { httpStatusCode: 403 },
  });
  const PolicyDocument = policy(allow('iam:*', 'arn:aws:iam::*:user/${aws:username}'));
  await iam.send(new PutUserPolicyCommand({ UserName: 'ben', PolicyName: 'self', PolicyDocument }));
  expect((await asBen.send(new GetUserCommand({}))).User?.UserName).toBe('ben');
  expect((await asBen.send(new ListAccessKeysCommand({}))).AccessKeyMetadata).toHaveLength(1);
  await expect(asBen.send(new GetUserCommand({ UserName: 'local-admin' }))).rejects.toMatchObject({
    name: 'AccessDenied',
  });
  await expect(asBen.send(new ListRolesCommand({}))).rejects.toMatchObject({
    message: expect.stringContaining('iam:ListRoles on resource: arn:aws:iam::000000000000:role/ because'),
  });
  await expect(asBen.send(new GetUserCommand({ UserName: 'none' }))).rejects.toMatchObject({
    message: expect.stringContaining('iam:GetUser on resource: user none because'),
  });
});

it('a permissions boundary limits what the policies allow', async () => {
  const cleo = await createUser('cleo');
  const UserName = 'cleo';
  const PolicyArn = 'arn:aws:iam::aws:policy/AmazonS3FullAccess';
  await iam.send(new AttachUserPolicyCommand({ UserName, PolicyArn }));
  await server.s3(cleo).send(new ListBucketsCommand({}));
  await iam.send(
    new PutUserPermissionsBoundaryCommand({
      UserName,
      PermissionsBoundary: 'arn:aws:iam::aws:policy/IAMFullAccess',
    }),
  );
  await expect(server.s3(cleo).send(new ListBucketsCommand({}))).rejects.toMatchObject({
    message: expect.stringContaining('because no permissions boundary allows the s3:ListAllMyBuckets action'),
  });
});

it('a user has two keys at most; one that is inactive or deleted is unknown', async () => {
  const UserName = 'dora';
  const first = await createUser(UserName);
  const second = await createKey(UserName);
  await expect(createKey(UserName)).rejects.toMatchObject({
    name: 'LimitExceededException',
    message: 'Cannot exceed quota for AccessKeysPerUser: 2',
  });
  const whoAmI = (as: Credentials) => server.sts(as).send(new GetCallerIdentityCommand({}));
  const unknown = {
    name: 'InvalidClientTokenId',
    message: 'The security token included in the request is invalid.',
    $metadata: { httpStatusCode: 403 },
  };
  await iam.send(
    new UpdateAccessKeyCommand({ UserName, AccessKeyId: first.accessKeyId, Status: 'Inactive' }),
  );
  await expect(whoAmI(first)).rejects.toMatchObject(unknown);
  await expect(server.s3(first).send(new ListBucketsCommand({}))).rejects.toMatchObject({
    name: 'InvalidAccessKeyId',
  });
  await iam.send(new UpdateAccessKeyCommand({ UserName, AccessKeyId: first.accessKeyId, Status: 'Active' }));
  await whoAmI(first);
  await iam.send(new DeleteAccessKeyCommand({ UserName, AccessKeyId: second.accessKeyId }));
  await expect(whoAmI(second)).rejects.toMatchObject(unknown);
  await expect(iam.send(new DeleteUserCommand({ UserName }))).rejects.toMatchObject({
    name: 'DeleteConflictException',
    message: 'Cannot delete entity, must delete access keys first.',
  });
  await iam.send(new DeleteAccessKeyCommand({ UserName, AccessKeyId: first.accessKeyId }));
  await iam.send(new ListGroupsForUserCommand({ UserName }));
  await iam.send(new DeleteUserCommand({ UserName }));
  await expect(iam.send(new GetUserCommand({ UserName }))).rejects.toMatchObject({
    name: 'NoSuchEntityException',
    message: 'The user with name dora cannot be found.',
  });
});

it('the administrator gets in again after a restart, whatever was taken away', async () => {
  const own = await startIamServer();
  try {
    await own.iam().send(new CreateUserCommand({ UserName: 'stays' }));
    await own.iam().send(
      new DetachUserPolicyCommand({
        UserName: 'local-admin',
        PolicyArn: 'arn:aws:iam::aws:policy/AdministratorAccess',
      }),
    );
    await expect(own.iam().send(new ListUsersCommand({}))).rejects.toMatchObject({ name: 'AccessDenied' });
    await own.restart();
    const { Users } = await own.iam().send(new ListUsersCommand({}));
    expect(Users?.map(({ UserName }) => UserName)).toEqual(['local-admin', 'stays']);
  } finally {
    await own.stop();
  }
});

it.each([
  ['an action that does not exist', 'Action=Nothing&Version=2010-05-08', 400, 'InvalidAction'],
  ['another version', 'Action=ListUsers&Version=2009-01-01', 400, 'InvalidAction'],
  ['no action', 'Version=2010-05-08', 400, 'MissingAction'],
  ['bytes that are not UTF-8', 'Action=GetUser&UserName=%ff', 404, 'MalformedQueryString'],
])('%s is answered in the form of the Query protocol', async (_what, body, status, code) => {
  const response = await sendSigned({
    service: 'iam',
    port: server.port,
    method: 'POST',
    path: '/',
    body,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    credentials: { accessKeyId: 'AKIALOCALADMIN000001', secretAccessKey: 'an admin/s secret+' },
  });
  expect(response.status).toBe(status);
  expect(response.headers['content-type']).toBe('text/xml');
  const requestId = response.headers['x-amzn-requestid'];
  expect(response.body).toMatch(
    new RegExp(
      `^<\\?xml version="1.0" encoding="UTF-8"\\?>\n<ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><Error><Type>Sender</Type><Code>${code}</Code><Message>.+</Message></Error><RequestId>${String(requestId)}</RequestId></ErrorResponse>$`,
    ),
  );
});
