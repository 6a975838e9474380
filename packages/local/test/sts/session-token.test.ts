import { CreateAccessKeyCommand, CreateUserCommand, GetUserCommand } from '@aws-sdk/client-iam';
import { GetCallerIdentityCommand, GetSessionTokenCommand } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { sendSigned, sendUnsigned } from '../s3/raw-request.ts';
import { ADMINISTRATOR, RDS_SERVICE, startIamServer, userArn, type IamServer } from '../iam/iam-server.ts';

let server: IamServer;

beforeAll(async () => {
  server = await startIamServer();
});

afterAll(() => server.stop());

it("a session token gives temporary keys of the user's own", async () => {
  const { Credentials: given } = await server
    .sts()
    .send(new GetSessionTokenCommand({ DurationSeconds: 900 }));
  const session = {
    accessKeyId: given?.AccessKeyId ?? '',
    secretAccessKey: given?.SecretAccessKey ?? '',
    sessionToken: given?.SessionToken ?? '',
  };
  expect(await server.sts(session).send(new GetCallerIdentityCommand({}))).toMatchObject({
    Arn: userArn('local-admin'),
  });
  expect((await server.iam(session).send(new GetUserCommand({}))).User?.UserName).toBe('local-admin');
  await expect(server.sts(session).send(new GetSessionTokenCommand({}))).rejects.toMatchObject({
    name: 'AccessDenied',
    message: 'Cannot call GetSessionToken with session credentials',
  });
  await expect(server.sts(RDS_SERVICE).send(new GetSessionTokenCommand({}))).rejects.toMatchObject({
    name: 'AccessDenied',
  });
});

it('anybody with a key may ask who they are, without any permission', async () => {
  await server.iam().send(new CreateUserCommand({ UserName: 'nobody' }));
  const { AccessKey } = await server.iam().send(new CreateAccessKeyCommand({ UserName: 'nobody' }));
  const nobody = {
    accessKeyId: AccessKey?.AccessKeyId ?? '',
    secretAccessKey: AccessKey?.SecretAccessKey ?? '',
  };
  expect(await server.sts(nobody).send(new GetCallerIdentityCommand({}))).toMatchObject({
    Arn: userArn('nobody'),
    Account: '000000000000',
    UserId: expect.stringMatching(/^AIDA/),
  });
});

const whoAmI = {
  service: 'sts',
  method: 'GET',
  path: '/',
  query: { Action: 'GetCallerIdentity', Version: '2011-06-15' },
  credentials: ADMINISTRATOR,
};

it('a GET request is answered as a POST request is', async () => {
  const response = await sendSigned({ ...whoAmI, port: server.port });
  expect(response.status).toBe(200);
  expect(response.body).toMatch(
    /^<\?xml version="1\.0" encoding="UTF-8"\?>\n<GetCallerIdentityResponse xmlns="https:\/\/sts\.amazonaws\.com\/doc\/2011-06-15\/"><GetCallerIdentityResult><Arn>.*<\/GetCallerIdentityResult><ResponseMetadata><RequestId>[-0-9a-f]{36}<\/RequestId><\/ResponseMetadata><\/GetCallerIdentityResponse>$/,
  );
});

it.each([
  [
    'a clock that is late',
    { signingDate: new Date(Date.now() - 3_600_000) },
    403,
    'SignatureDoesNotMatch',
    /^Signature expired: \d{8}T\d{6}Z is now earlier than/,
  ],
  [
    'a clock that is early',
    { signingDate: new Date(Date.now() + 3_600_000) },
    403,
    'SignatureDoesNotMatch',
    /^Signature not yet current: /,
  ],
  [
    'a wrong secret',
    { credentials: { ...ADMINISTRATOR, secretAccessKey: 'x' } },
    403,
    'SignatureDoesNotMatch',
    /^The request signature we calculated/,
  ],
  [
    'an unknown key',
    { credentials: { ...ADMINISTRATOR, accessKeyId: 'AKIANONE' } },
    403,
    'InvalidClientTokenId',
    /^The security token included in the request is invalid\.$/,
  ],
  [
    'a body that is not the one that was signed',
    { payloadHash: '0'.repeat(64) },
    403,
    'SignatureDoesNotMatch',
    /^The request signature/,
  ],
] as const)('%s is refused in the words of STS', async (_what, change, status, code, message) => {
  const response = await sendSigned({ ...whoAmI, ...change, port: server.port });
  expect(response.status).toBe(status);
  expect(/<Code>(.*)<\/Code>/.exec(response.body)?.[1]).toBe(code);
  expect(/<Message>(.*)<\/Message>/.exec(response.body)?.[1]).toMatch(message);
});

it('a request that is too large is refused', async () => {
  const response = await sendUnsigned({
    port: server.port,
    method: 'POST',
    path: '/',
    headers: {
      authorization:
        'AWS4-HMAC-SHA256 Credential=A/20260101/eu-central-1/sts/aws4_request, SignedHeaders=host, Signature=0',
      'x-amz-date': '20260101T000000Z',
    },
    body: 'x'.repeat(1_100_000),
  });
  expect(response.status).toBe(413);
});
