import { createHash } from 'node:crypto';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { errorCode, sendSigned, sendUnsigned, signHeaders } from './raw-request.ts';
import { ACCESS_KEY_ID, REGION, SESSION, startTestServer, type TestServer } from './test-server.ts';

const Bucket = 'signed-bucket';
let server: TestServer;
let s3: S3Client;

beforeAll(async () => {
  server = await startTestServer();
  s3 = server.client();
  await s3.send(new CreateBucketCommand({ Bucket }));
  await s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'stored' }));
});

afterAll(() => server.stop());

function get(options: object = {}) {
  return sendSigned({ port: server.port, method: 'GET', path: `/${Bucket}/k`, ...options });
}

function put(body: string, options: object = {}) {
  return sendSigned({
    port: server.port,
    method: 'PUT',
    path: `/${Bucket}/new`,
    body,
    ...contentLength(body),
    ...options,
  });
}

function contentLength(body: string) {
  return { headers: { 'content-length': String(body.length) } };
}

describe('a request signed in its header', () => {
  it('is answered when the signature is right', async () => {
    expect(await get()).toMatchObject({ status: 200, body: 'stored' });
  });

  it('is SignatureDoesNotMatch with another secret, and says what was signed', async () => {
    const wrong = server.client({ credentials: { accessKeyId: ACCESS_KEY_ID, secretAccessKey: 'wrong' } });
    await expect(wrong.send(new GetObjectCommand({ Bucket, Key: 'k' }))).rejects.toMatchObject({
      name: 'SignatureDoesNotMatch',
      $metadata: { httpStatusCode: 403 },
      StringToSign: expect.stringContaining('AWS4-HMAC-SHA256'),
    });
  });

  it('is InvalidAccessKeyId with an unknown key', async () => {
    const unknown = server.client({ credentials: { accessKeyId: 'AKIDNOBODY', secretAccessKey: 'x' } });
    await expect(unknown.send(new GetObjectCommand({ Bucket, Key: 'k' }))).rejects.toMatchObject({
      name: 'InvalidAccessKeyId',
      AWSAccessKeyId: 'AKIDNOBODY',
    });
  });

  it('is XAmzContentSHA256Mismatch when the body was altered', async () => {
    const payloadHash = createHash('sha256').update('sent').digest('hex');
    const response = await put('sant', { payloadHash });
    expect([response.status, errorCode(response)]).toEqual([400, 'XAmzContentSHA256Mismatch']);
  });

  const emptySha256 = createHash('sha256').digest('hex');
  it.each([
    ['RequestTimeTooSkewed', { signingDate: new Date(Date.now() - 16 * 60_000) }],
    ['RequestTimeTooSkewed', { signingDate: new Date(Date.now() + 16 * 60_000) }],
    ['SignatureDoesNotMatch', { headers: { range: 'bytes=0-0' }, afterSigning: { range: 'bytes=0-1' } }],
    [
      'SignatureDoesNotMatch',
      { payloadHash: 'UNSIGNED-PAYLOAD', afterSigning: { 'x-amz-content-sha256': emptySha256 } },
    ],
    ['AccessDenied', { afterSigning: { 'x-amz-added': 'later' } }],
    ['AuthorizationHeaderMalformed', { afterSigning: { authorization: 'AWS4-HMAC-SHA256 Credential=x' } }],
    ['InvalidRequest', { afterSigning: { authorization: 'AWS x:y' } }],
    ['InvalidRequest', { afterSigning: { 'x-amz-content-sha256': undefined } }],
    ['InvalidArgument', { payloadHash: 'STREAMING-SOMETHING-ELSE' }],
    ['PermanentRedirect', { region: 'us-east-2' }],
  ])('is %s (%#)', async (code, options) => {
    expect(errorCode(await get(options))).toBe(code);
  });

  it('is AccessDenied when it is not signed at all', async () => {
    const response = await sendUnsigned({ port: server.port, method: 'GET', path: `/${Bucket}/k` });
    expect([response.status, errorCode(response)]).toEqual([403, 'AccessDenied']);
  });

  it('names the region of the bucket when it was signed for another', async () => {
    const path = await get({ region: 'us-east-2' });
    expect([path.status, path.headers['x-amz-bucket-region']]).toEqual([301, REGION]);
    const host = await get({ region: 'us-east-2', path: '/k', headers: { host: `${Bucket}.localhost` } });
    expect([host.status, errorCode(host)]).toEqual([400, 'AuthorizationHeaderMalformed']);
    expect(host.body).toContain(`<Region>${REGION}</Region>`);
  });

  it.each([
    `${Bucket}.localhost:80`,
    `${Bucket}.s3.localhost`,
    `${Bucket}.s3.${REGION}.localhost`,
    `${Bucket}.127.0.0.1.nip.io:80`,
    `${Bucket}.s3.${REGION}.amazonaws.com`,
  ])('finds the bucket in the host %s', async (host) => {
    expect(await get({ path: '/k', headers: { host } })).toMatchObject({ status: 200, body: 'stored' });
  });

  it('works with temporary credentials, and only with their token', async () => {
    expect((await get({ credentials: SESSION })).status).toBe(200);
    const { sessionToken: _, ...withoutToken } = SESSION;
    expect(errorCode(await get({ credentials: withoutToken }))).toBe('InvalidAccessKeyId');
    expect(errorCode(await get({ credentials: { ...SESSION, sessionToken: 'wrong' } }))).toBe('InvalidToken');
  });
});

describe('a presigned URL', () => {
  it('reads and writes without other credentials', async () => {
    const putUrl = await getSignedUrl(s3, new PutObjectCommand({ Bucket, Key: 'by url/é+' }));
    expect((await fetch(putUrl, { method: 'PUT', body: 'via url' })).status).toBe(200);
    const getUrl = await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key: 'by url/é+' }));
    expect(await (await fetch(getUrl)).text()).toBe('via url');
  });

  it('is AccessDenied after it has expired, and when it was altered SignatureDoesNotMatch', async () => {
    const command = new GetObjectCommand({ Bucket, Key: 'k' });
    const old = await getSignedUrl(s3, command, { expiresIn: 1, signingDate: new Date(Date.now() - 5000) });
    const expired = await fetch(old);
    expect(expired.status).toBe(403);
    expect(await expired.text()).toMatch(/<Code>AccessDenied<\/Code><Message>Request has expired<\/Message>/);
    const url = await getSignedUrl(s3, command);
    const altered = await fetch(url.replace(`/${Bucket}/k`, `/${Bucket}/new`));
    expect(await altered.text()).toContain('SignatureDoesNotMatch');
    const longer = await fetch(url.replace('X-Amz-Expires=900', 'X-Amz-Expires=9000'));
    expect(await longer.text()).toContain('SignatureDoesNotMatch');
    const forever = await fetch(url.replace('X-Amz-Expires=900', 'X-Amz-Expires=604801'));
    expect(await forever.text()).toContain('AuthorizationQueryParametersError');
  });
});

describe('a request with keys that every object has', () => {
  const NAMES = ['__proto__', 'constructor', 'toString', 'hasOwnProperty'];

  it.each(NAMES)('is answered when its scope names the service %s', async (service) => {
    expect(await get({ service })).toMatchObject({ status: expect.any(Number) as number });
    expect(errorCode(await get({ service }))).toBeDefined();
  });

  it.each(NAMES)('is SignatureDoesNotMatch with the signed header %s that it does not have', async (name) => {
    const scope = `${ACCESS_KEY_ID}/${amzDate().slice(0, 8)}/${REGION}/s3/aws4_request`;
    const authorization = `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host;x-amz-date;x-amz-content-sha256;${name.toLowerCase()}, Signature=${'0'.repeat(64)}`;
    const answer = await get({ afterSigning: { authorization, 'x-amz-date': amzDate() } });
    expect([answer.status, errorCode(answer)]).toEqual([403, 'SignatureDoesNotMatch']);
  });

  it.each(NAMES)('keeps user metadata of the name %s', async (name) => {
    const header = `x-amz-meta-${name.toLowerCase()}`;
    const stored = await put('body', { headers: { ...contentLength('body').headers, [header]: 'value' } });
    expect(stored.status).toBe(200);
    const read = await get({ path: `/${Bucket}/new` });
    expect(new Map(Object.entries(read.headers)).get(header)).toBe('value');
  });

  it.each(NAMES)('is InvalidArgument with the payload hash %s', async (payloadHash) => {
    const answer = await put('body', { payloadHash });
    expect([answer.status, errorCode(answer)]).toEqual([400, 'InvalidArgument']);
  });
});

describe('a request that is signed twice', () => {
  it('is InvalidArgument with two headers, in a header and the query, and with two signatures in the query', async () => {
    const signed = await signHeaders({ port: server.port, method: 'GET', path: `/${Bucket}/k` });
    const authorization = signed['authorization'] ?? '';
    const twice = await sendUnsigned({
      port: server.port,
      method: 'GET',
      path: `/${Bucket}/k`,
      headers: { ...signed, authorization: [authorization, authorization] as unknown as string },
    });
    const query = { 'X-Amz-Algorithm': 'AWS4-HMAC-SHA256' };
    const both = await get({ query });
    const url = new URL(await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key: 'k' })));
    const path = `${url.pathname}${url.search}&X-Amz-Signature=${'0'.repeat(64)}`;
    const repeated = await sendUnsigned({
      port: server.port,
      method: 'GET',
      path,
      headers: { host: url.host },
    });
    for (const answer of [twice, both, repeated]) {
      expect([answer.status, errorCode(answer)]).toEqual([400, 'InvalidArgument']);
    }
  });
});

function amzDate(): string {
  return new Date().toISOString().replace(/[-:]|\.\d{3}/g, '');
}
