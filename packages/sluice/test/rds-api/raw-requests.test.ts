import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { text as textOf } from 'node:stream/consumers';
import { SignatureV4 } from '@smithy/signature-v4';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Sha256 } from '../../src/aws-protocol/sigv4/sha256.ts';
import { ACCESS_KEY, CLUSTER, REGION, ROLE_ARN, startApi, type ApiFixture } from './api-fixture.ts';

let api: ApiFixture;
beforeEach(async () => {
  api = await startApi();
});
afterEach(() => api[Symbol.asyncDispose]());

const ADD = new URLSearchParams({
  Action: 'AddRoleToDBCluster',
  Version: '2014-10-31',
  DBClusterIdentifier: CLUSTER,
  RoleArn: ROLE_ARN,
  FeatureName: 's3Export',
}).toString();

interface Changes {
  service?: string;
  /** Headers that are sent without being signed. */
  unsigned?: Record<string, string>;
  /** Additional signed headers. */
  headers?: Record<string, string>;
  /** Sent in place of the signed body. */
  body?: string | Buffer;
  path?: string;
}

/** Signs a form and sends it, with the changes of an attacker. */
async function send(
  form: string,
  changes: Changes = {},
): Promise<{ status: number; code: string | undefined; text: string }> {
  const { host } = new URL(api.endpoint);
  const signer = new SignatureV4({
    service: changes.service ?? 'rds',
    region: REGION,
    credentials: { accessKeyId: ACCESS_KEY.id, secretAccessKey: ACCESS_KEY.secret },
    sha256: Sha256,
  });
  const signed = await signer.sign({
    method: 'POST',
    protocol: 'http:',
    hostname: '127.0.0.1',
    path: '/',
    headers: { host, 'content-type': 'application/x-www-form-urlencoded', ...changes.headers },
    body: form,
  });
  const { host: _host, ...headers } = signed.headers;
  return post(changes.body ?? form, { ...headers, ...changes.unsigned }, changes.path);
}

function amzDate(): string {
  return new Date().toISOString().replace(/[-:]|\.\d{3}/g, '');
}

/** Signs a form and sends it with several Authorization headers. fetch can't do that: it would join them. */
async function sendTwice(form: string, authorizations: (own: string) => string[]) {
  const { host, hostname, port } = new URL(api.endpoint);
  const signer = new SignatureV4({
    service: 'rds',
    region: REGION,
    credentials: { accessKeyId: ACCESS_KEY.id, secretAccessKey: ACCESS_KEY.secret },
    sha256: Sha256,
  });
  const { headers } = await signer.sign({
    method: 'POST',
    protocol: 'http:',
    hostname,
    path: '/',
    headers: { host },
    body: form,
  });
  const { authorization = '', ...others } = headers;
  const sending = request({
    hostname,
    port,
    method: 'POST',
    headers: [
      ...Object.entries(others).flat(),
      ...authorizations(authorization).flatMap((line) => ['authorization', line]),
    ],
  });
  sending.end(form);
  const [response] = (await once(sending, 'response')) as [IncomingMessage];
  const body = await textOf(response);
  return { status: response.statusCode, code: /<Code>(\w+)<\/Code>/.exec(body)?.[1] };
}

async function post(body: string | Buffer, headers: Record<string, string>, path = '/') {
  const response = await fetch(`${api.endpoint}${path}`, { method: 'POST', headers, body });
  const text = await response.text();
  return { status: response.status, code: /<Code>(\w+)<\/Code>/.exec(text)?.[1], text };
}

describe('a request made by hand', () => {
  it('is answered when it is signed', async () => {
    const { status, text } = await send(ADD);
    expect(status).toBe(200);
    expect(text).toMatch(
      /<AddRoleToDBClusterResponse xmlns="http:\/\/rds.amazonaws.com\/doc\/2014-10-31\/"><ResponseMetadata><RequestId>[\w-]+<\/RequestId><\/ResponseMetadata><\/AddRoleToDBClusterResponse>/,
    );
  });

  it.each<[string, Changes]>([
    ['another body', { body: ADD.replace('rds-s3-export-role', 'evil') }],
    [
      'another body whose hash is not signed',
      {
        body: 'Action=DescribeDBClusters',
        unsigned: { 'x-amz-content-sha256': createHash('sha256').update(ADD).digest('hex') },
      },
    ],
    ['an unsigned payload', { headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' } }],
    ['a header of AWS that is not signed', { unsigned: { 'x-amz-extra': '1' } }],
    ['another service in its scope', { service: 's3' }],
    [
      'another date',
      { unsigned: { 'x-amz-date': `${new Date().toISOString().slice(0, 10).replaceAll('-', '')}T000000Z` } },
    ],
  ])('is refused with %s', async (_name, changes) => {
    const { status, code } = await send(ADD, changes);
    expect([403, 400]).toContain(status);
    expect(['SignatureDoesNotMatch', 'RequestExpired']).toContain(code);
    expect(api.roles.list()).toEqual([]);
  });

  it.each([
    [{}, 403, 'MissingAuthenticationToken'],
    [{ authorization: 'Basic eDp5' }, 400, 'IncompleteSignature'],
    [{ authorization: 'AWS4-HMAC-SHA256 ' }, 400, 'IncompleteSignature'],
    [{ authorization: 'AWS4-HMAC-SHA256 Credential=a/b/c/d/aws4_request' }, 400, 'IncompleteSignature'],
  ])('is refused with the headers %j', async (headers, status, code) => {
    expect(await post(ADD, headers as Record<string, string>)).toMatchObject({ status, code });
  });

  it.each(['__proto__', 'constructor', 'toString', 'hasownproperty'])(
    'is refused with the signed header %s that it does not have',
    async (name) => {
      const scope = `${ACCESS_KEY.id}/20300101/${REGION}/rds/aws4_request`;
      const authorization = `AWS4-HMAC-SHA256 Credential=${scope}, SignedHeaders=host;x-amz-date;${name}, Signature=${'0'.repeat(64)}`;
      const headers = { authorization, 'x-amz-date': amzDate() };
      const dated = headers.authorization.replace('20300101', headers['x-amz-date'].slice(0, 8));
      expect(await post(ADD, { ...headers, authorization: dated })).toMatchObject({
        status: 403,
        code: 'SignatureDoesNotMatch',
      });
    },
  );

  it('is refused with two Authorization headers, in either order', async () => {
    const other = `AWS4-HMAC-SHA256 Credential=x/20300101/${REGION}/rds/aws4_request, SignedHeaders=host, Signature=${'0'.repeat(64)}`;
    for (const order of [(own: string) => [own, other], (own: string) => [other, own]]) {
      const { status, code } = await sendTwice(ADD, order);
      expect({ status, code }).toEqual({ status: 400, code: 'IncompleteSignature' });
    }
    expect(api.roles.list()).toEqual([]);
  });

  it.each(['Credential=x', 'Signature=x', 'SignedHeaders=host'])(
    'is refused with a second %s in its header',
    async (field) => {
      const { status, code } = await sendTwice(ADD, (own) => [`${own}, ${field}`]);
      expect({ status, code }).toEqual({ status: 400, code: 'IncompleteSignature' });
    },
  );

  it('is refused with a session token, which permanent keys do not have', async () => {
    expect(await send(ADD, { headers: { 'x-amz-security-token': 'token' } })).toMatchObject({
      status: 403,
      code: 'InvalidClientTokenId',
    });
  });

  it.each([
    ['', 'MissingAction'],
    ['Action=', 'MissingAction'],
    ['Action=toString', 'InvalidAction'],
    ['Action=DescribeDBClusters&Version=2010-01-01', 'InvalidAction'],
    ['Action=AddRoleToDBCluster', 'MissingParameter'],
    ['Action=DescribeDBClusters&Filters.Filter.1.Name=x%3C%26', 'InvalidParameterValue'],
  ])('%j is %s', async (form, code) => {
    expect(await send(form)).toMatchObject({ status: 400, code });
  });

  it('is refused elsewhere than at /', async () => {
    expect(await send(ADD, { path: '/?Action=DescribeDBClusters' })).toMatchObject({
      code: 'MalformedQueryString',
    });
    const response = await fetch(api.endpoint);
    expect(response.status).toBe(404);
  });

  it('never puts markup into the answer', async () => {
    const { text } = await send('Action=DescribeDBClusters&DBClusterIdentifier=%3CB%3E%26%00');
    expect(text).toContain('<Message>DBCluster &lt;B&gt;&amp;\ufffd not found.</Message>');
  });

  it('is refused when it is too long', async () => {
    const long = await post(Buffer.alloc(1024 * 1024 + 1), {});
    expect(long).toMatchObject({ status: 413, code: 'RequestEntityTooLarge' });
    const fits = await post(Buffer.alloc(1024 * 1024), {});
    expect(fits).toMatchObject({ status: 403, code: 'MissingAuthenticationToken' });
  });

  it('is refused when it is noise', async () => {
    const noise = randomBytes(200).toString('latin1');
    expect((await send(noise)).code).toBe('MissingAction');
  });
});
