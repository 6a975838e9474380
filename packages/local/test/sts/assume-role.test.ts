import { createHash } from 'node:crypto';
import {
  CreateAccessKeyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  DeleteRoleCommand,
  DeleteRolePolicyCommand,
  DeleteUserCommand,
  DeleteAccessKeyCommand,
  PutRolePolicyCommand,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam';
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListBucketsCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import {
  AssumeRoleCommand,
  GetCallerIdentityCommand,
  type AssumeRoleCommandInput,
} from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  ADMINISTRATOR,
  allow,
  CLUSTER_ARN,
  policy,
  RDS_SERVICE,
  roleArn,
  startIamServer,
  trust,
  TRUST_RDS,
  userArn,
  type Credentials,
  type IamServer,
} from '../iam/iam-server.ts';

let server: IamServer;

beforeAll(async () => {
  server = await startIamServer();
  await server.s3().send(new CreateBucketCommand({ Bucket: 'bucket' }));
});

afterAll(() => server.stop());

/** Makes a role that may do everything in S3. */
async function createRole(
  RoleName: string,
  AssumeRolePolicyDocument = TRUST_RDS,
  extra: { MaxSessionDuration?: number; Path?: string } = {},
): Promise<void> {
  await server.iam().send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument, ...extra }));
  await server
    .iam()
    .send(
      new PutRolePolicyCommand({ RoleName, PolicyName: 'p', PolicyDocument: policy(allow('s3:*', '*')) }),
    );
}

async function createUser(UserName: string, ...statements: object[]): Promise<Credentials> {
  await server.iam().send(new CreateUserCommand({ UserName }));
  if (statements.length > 0) {
    const PolicyDocument = policy(...statements);
    await server.iam().send(new PutUserPolicyCommand({ UserName, PolicyName: 'p', PolicyDocument }));
  }
  const { AccessKey } = await server.iam().send(new CreateAccessKeyCommand({ UserName }));
  return {
    accessKeyId: AccessKey?.AccessKeyId ?? '',
    secretAccessKey: AccessKey?.SecretAccessKey ?? '',
  };
}

function assume(role: string, input: Partial<AssumeRoleCommandInput> = {}, as: Credentials = RDS_SERVICE) {
  return server
    .sts(as)
    .send(new AssumeRoleCommand({ RoleArn: roleArn(role), RoleSessionName: 'session', ...input }));
}

function notAuthorized(user: string, role: string, why: string) {
  return {
    name: 'AccessDenied',
    message: `User: ${user} is not authorized to perform: sts:AssumeRole on resource: ${roleArn(role)} ${why}`,
    $metadata: { httpStatusCode: 403 },
  };
}

describe('a session', () => {
  it('is what STS says it is', async () => {
    await createRole('described', TRUST_RDS, { Path: '/team/' });
    const answer = await assume('team/described');
    expect(answer.Credentials?.AccessKeyId).toMatch(/^ASIA[A-Z2-7]{16}$/);
    const expiresInMs = (answer.Credentials?.Expiration?.getTime() ?? 0) - Date.now();
    expect(Math.abs(expiresInMs - 3_600_000)).toBeLessThan(5000);
    expect(answer.AssumedRoleUser?.Arn).toBe('arn:aws:sts::000000000000:assumed-role/described/session');
    const session = await server.assume('team/described');
    expect(await server.sts(session).send(new GetCallerIdentityCommand({}))).toMatchObject({
      Arn: 'arn:aws:sts::000000000000:assumed-role/described/session',
      Account: '000000000000',
      UserId: answer.AssumedRoleUser?.AssumedRoleId,
    });
  });

  it('needs its token, whole and its own', async () => {
    await createRole('tokens');
    const session = await server.assume('tokens');
    const other = await server.assume('tokens');
    const { sessionToken, ...withoutToken } = session;
    const token = String(sessionToken);
    const cases = [
      [withoutToken, 'InvalidAccessKeyId', 'InvalidClientTokenId'],
      [{ ...session, sessionToken: `${token.slice(0, -8)}AAAAAAA=` }, 'InvalidToken', 'InvalidClientTokenId'],
      [{ ...session, sessionToken: 'x' }, 'InvalidToken', 'InvalidClientTokenId'],
      [{ ...session, sessionToken: String(other.sessionToken) }, 'InvalidToken', 'InvalidClientTokenId'],
      [{ ...session, secretAccessKey: 'wrong' }, 'SignatureDoesNotMatch', 'SignatureDoesNotMatch'],
      [{ ...ADMINISTRATOR, sessionToken: token }, 'InvalidToken', 'InvalidClientTokenId'],
    ] as const;
    for (const [credentials, ofS3, ofSts] of cases) {
      await expect(server.s3(credentials).send(new ListBucketsCommand({}))).rejects.toMatchObject({
        name: ofS3,
      });
      await expect(server.sts(credentials).send(new GetCallerIdentityCommand({}))).rejects.toMatchObject({
        name: ofSts,
      });
    }
  });

  it('ends when its time is over', async () => {
    await createRole('short');
    const session = await server.assume('short', { DurationSeconds: 2 });
    await server.s3(session).send(new ListBucketsCommand({}));
    await new Promise((resolve) => setTimeout(resolve, 2100));
    await expect(server.s3(session).send(new ListBucketsCommand({}))).rejects.toMatchObject({
      name: 'ExpiredToken',
      message: 'The provided token has expired.',
      $metadata: { httpStatusCode: 400 },
    });
    await expect(server.sts(session).send(new GetCallerIdentityCommand({}))).rejects.toMatchObject({
      name: 'ExpiredToken',
      message: 'The security token included in the request is expired',
      $metadata: { httpStatusCode: 403 },
    });
  });

  it('outlives a restart of the server', async () => {
    await createRole('restarted');
    const session = await server.assume('restarted');
    await server.restart();
    const { Buckets } = await server.s3(session).send(new ListBucketsCommand({}));
    expect(Buckets).toMatchObject([{ Name: 'bucket' }]);
  });

  it('ends with its role, also when another gets its name', async () => {
    await createRole('deleted');
    const session = await server.assume('deleted');
    const RoleName = 'deleted';
    await server.iam().send(new DeleteRolePolicyCommand({ RoleName, PolicyName: 'p' }));
    await server.iam().send(new DeleteRoleCommand({ RoleName }));
    await createRole('deleted');
    await expect(server.s3(session).send(new ListBucketsCommand({}))).rejects.toMatchObject({
      name: 'InvalidAccessKeyId',
    });
    await expect(server.sts(session).send(new GetCallerIdentityCommand({}))).rejects.toMatchObject({
      name: 'InvalidClientTokenId',
    });
  });

  it('may do no more than its session policies allow, and none of what its role is not allowed', async () => {
    await createRole('limited');
    const s3 = server.s3(
      await server.assume('limited', {
        Policy: policy(allow(['s3:PutObject', 'iam:*'], '*')),
        PolicyArns: [{ arn: 'arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess' }],
      }),
    );
    const object = { Bucket: 'bucket', Key: 'k' };
    await s3.send(new PutObjectCommand({ ...object, Body: 'x' }));
    await s3.send(new GetObjectCommand(object));
    await expect(s3.send(new CreateBucketCommand({ Bucket: 'another' }))).rejects.toMatchObject({
      message: expect.stringContaining('because no session policy allows the s3:CreateBucket action'),
    });
  });
});

describe('the trust policy', () => {
  it('is asked who may assume the role', async () => {
    await createRole('for-rds');
    await assume('for-rds');
    await expect(assume('for-rds', {}, ADMINISTRATOR)).rejects.toMatchObject(
      notAuthorized(
        userArn('local-admin'),
        'for-rds',
        'because no role trust policy allows the sts:AssumeRole action',
      ),
    );
    await createRole('for-ec2', trust({ Service: 'ec2.amazonaws.com' }));
    await expect(assume('for-ec2')).rejects.toMatchObject(
      notAuthorized(
        'rds.amazonaws.com',
        'for-ec2',
        'because no role trust policy allows the sts:AssumeRole action',
      ),
    );
  });

  it('lets in a user whom it names, and of an account those whom their own policies allow it', async () => {
    const named = await createUser('named');
    const allowed = await createUser('allowed', allow('sts:AssumeRole', roleArn('for-account')));
    const other = await createUser('other');
    await createRole('for-user', trust({ AWS: userArn('named') }));
    await createRole('for-account', trust({ AWS: 'arn:aws:iam::000000000000:root' }));
    await assume('for-user', {}, named);
    await expect(assume('for-user', {}, allowed)).rejects.toMatchObject({ name: 'AccessDenied' });
    await assume('for-account', {}, allowed);
    await expect(assume('for-account', {}, other)).rejects.toMatchObject(
      notAuthorized(
        userArn('other'),
        'for-account',
        'because no identity-based policy allows the sts:AssumeRole action',
      ),
    );
  });

  it('lets in nobody who has the name of a user that was deleted', async () => {
    const first = await createUser('again');
    await createRole('for-again', trust({ AWS: userArn('again') }));
    await assume('for-again', {}, first);
    const UserName = 'again';
    await server.iam().send(new DeleteAccessKeyCommand({ UserName, AccessKeyId: first.accessKeyId }));
    await server.iam().send(new DeleteUserCommand({ UserName }));
    const second = await createUser('again');
    await expect(assume('for-again', {}, second)).rejects.toMatchObject({ name: 'AccessDenied' });
  });

  it('may ask for an external id', async () => {
    await createRole(
      'external',
      trust({ Service: 'rds.amazonaws.com' }, { Condition: { StringEquals: { 'sts:ExternalId': 'a-b/c' } } }),
    );
    await assume('external', { ExternalId: 'a-b/c' });
    for (const input of [{}, { ExternalId: 'another' }]) {
      await expect(assume('external', input)).rejects.toMatchObject({ name: 'AccessDenied' });
    }
  });

  it('may ask for whom the service calls', async () => {
    const condition = (cluster: string) => ({
      Condition: {
        StringEquals: { 'aws:SourceAccount': '000000000000' },
        ArnEquals: { 'aws:SourceArn': cluster },
      },
    });
    await createRole('for-cluster', trust({ Service: 'rds.amazonaws.com' }, condition(CLUSTER_ARN)));
    await createRole('for-another', trust({ Service: 'rds.amazonaws.com' }, condition(`${CLUSTER_ARN}-2`)));
    await assume('for-cluster');
    await expect(assume('for-another')).rejects.toMatchObject({ name: 'AccessDenied' });
  });

  it('must allow tags and a source identity, which policies can then use', async () => {
    const Tags = [{ Key: 'team', Value: 'data' }];
    await createRole('plain');
    await expect(assume('plain', { Tags })).rejects.toMatchObject({
      message: expect.stringContaining('perform: sts:TagSession on'),
    });
    await expect(assume('plain', { SourceIdentity: 'ana' })).rejects.toMatchObject({
      message: expect.stringContaining('perform: sts:SetSourceIdentity on'),
    });
    const RoleName = 'tagged';
    await createRole(
      RoleName,
      policy({
        Effect: 'Allow',
        Principal: { Service: 'rds.amazonaws.com' },
        Action: ['sts:AssumeRole', 'sts:TagSession', 'sts:SetSourceIdentity'],
      }),
    );
    const PolicyDocument = policy(
      allow('s3:PutObject', 'arn:aws:s3:::bucket/${aws:PrincipalTag/team}/*', {
        Condition: { StringEquals: { 'aws:SourceIdentity': 'ana' } },
      }),
    );
    await server.iam().send(new PutRolePolicyCommand({ RoleName, PolicyName: 'p', PolicyDocument }));
    const s3 = server.s3(await server.assume(RoleName, { Tags, SourceIdentity: 'ana' }));
    await s3.send(new PutObjectCommand({ Bucket: 'bucket', Key: 'data/k', Body: 'x' }));
    await expect(
      s3.send(new PutObjectCommand({ Bucket: 'bucket', Key: 'other/k', Body: 'x' })),
    ).rejects.toMatchObject({ name: 'AccessDenied' });
  });
});

describe('AssumeRole', () => {
  it('does not tell a role that does not exist from one that is closed', async () => {
    await expect(assume('no-such-role')).rejects.toMatchObject({
      name: 'AccessDenied',
      message: `User: rds.amazonaws.com is not authorized to perform: sts:AssumeRole on resource: ${roleArn('no-such-role')} because no role trust policy allows the sts:AssumeRole action`,
    });
  });

  it('chains for an hour at most', async () => {
    await createRole('first', trust({ Service: 'rds.amazonaws.com' }));
    const PolicyDocument = policy(allow('sts:AssumeRole', '*'));
    await server.iam().send(new PutRolePolicyCommand({ RoleName: 'first', PolicyName: 'q', PolicyDocument }));
    await createRole('next', trust({ AWS: roleArn('first') }), { MaxSessionDuration: 43_200 });
    const first = await server.assume('first');
    expect(
      await server.sts(await server.assume('next', {}, first)).send(new GetCallerIdentityCommand({})),
    ).toMatchObject({ Arn: 'arn:aws:sts::000000000000:assumed-role/next/session' });
    await expect(assume('next', { DurationSeconds: 3601 }, first)).rejects.toMatchObject({
      name: 'ValidationError',
      message:
        'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.',
    });
  });

  it('is not for the root user', async () => {
    const root = { accessKeyId: 'AKIAROOT000000000001', secretAccessKey: 'root' };
    const own = await startIamServer({ credentials: (id) => (id === root.accessKeyId ? root : undefined) });
    try {
      await own
        .iam(root)
        .send(new CreateRoleCommand({ RoleName: 'open', AssumeRolePolicyDocument: trust({ AWS: '*' }) }));
      await expect(own.assume('open', {}, root)).rejects.toMatchObject({
        name: 'AccessDenied',
        message: 'Roles may not be assumed by root accounts.',
      });
    } finally {
      await own.stop();
    }
  });

  it.each([
    [
      'a session longer than the role allows',
      { DurationSeconds: 3601 },
      /exceeds the MaxSessionDuration set for this role/,
    ],
    [
      'a session longer than 12 hours',
      { DurationSeconds: 43_201 },
      /'durationSeconds' failed .* less than or equal to 43200/,
    ],
    ['a session shorter than the least', { DurationSeconds: 0 }, /greater than or equal to 1/],
    [
      'a session name with a space',
      { RoleSessionName: 'a b' },
      /'roleSessionName' .* regular expression pattern: /,
    ],
    ['a session name of one letter', { RoleSessionName: 'a' }, /length greater than or equal to 2/],
    ['an external id of one letter', { ExternalId: 'a' }, /'externalId'/],
    ['an ARN that is not one of a role', { RoleArn: userArn('somebody-or-other') }, /is invalid/],
    [
      'a policy of 2,049 characters',
      { Policy: ' '.repeat(2049) },
      /'policy' .* length less than or equal to 2048/,
    ],
  ])('refuses %s', async (_what, input, message) => {
    await createRole('validated').catch(() => undefined);
    await expect(assume('validated', input)).rejects.toMatchObject({
      name: 'ValidationError',
      message: expect.stringMatching(message),
      $metadata: { httpStatusCode: 400 },
    });
  });

  it('gives sessions of 15 minutes at least, if not told otherwise', async () => {
    const own = await startIamServer({ minSessionSeconds: 900 });
    try {
      await own.iam().send(new CreateRoleCommand({ RoleName: 'least', AssumeRolePolicyDocument: TRUST_RDS }));
      await own.assume('least', { DurationSeconds: 900 });
      await expect(own.assume('least', { DurationSeconds: 899 })).rejects.toMatchObject({
        name: 'ValidationError',
      });
    } finally {
      await own.stop();
    }
  });

  it('refuses a session policy that is malformed or too large', async () => {
    await createRole('packed');
    await expect(assume('packed', { Policy: '{}' })).rejects.toMatchObject({
      name: 'MalformedPolicyDocumentException',
    });
    await expect(
      assume('packed', { PolicyArns: [{ arn: 'arn:aws:iam::000000000000:policy/none' }] }),
    ).rejects.toMatchObject({ name: 'MalformedPolicyDocumentException' });
    expect((await assume('packed', { Policy: policy(allow('s3:*', '*')) })).PackedPolicySize).toBeGreaterThan(
      0,
    );
    await createRole(
      'many-tags',
      trust({ Service: 'rds.amazonaws.com' }, { Action: ['sts:AssumeRole', 'sts:TagSession'] }),
    );
    const Tags = Array.from({ length: 50 }, (_, index) => ({
      Key: `key-${index}`,
      Value: createHash('sha512').update(String(index)).digest('hex'),
    }));
    await expect(assume('many-tags', { Tags })).rejects.toMatchObject({
      name: 'PackedPolicyTooLargeException',
    });
  });
});

describe('the key of a service', () => {
  it('opens nothing but the roles that trust the service', async () => {
    expect(await server.sts(RDS_SERVICE).send(new GetCallerIdentityCommand({}))).toMatchObject({
      Arn: 'rds.amazonaws.com',
    });
    await expect(server.s3(RDS_SERVICE).send(new ListBucketsCommand({}))).rejects.toMatchObject({
      name: 'AccessDenied',
    });
    await expect(
      server.iam(RDS_SERVICE).send(new CreateUserCommand({ UserName: 'x' })),
    ).rejects.toMatchObject({
      name: 'AccessDenied',
      message: expect.stringContaining(
        'User: rds.amazonaws.com is not authorized to perform: iam:CreateUser',
      ),
    });
  });
});
