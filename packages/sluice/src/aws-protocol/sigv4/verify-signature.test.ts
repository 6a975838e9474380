import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { QueryParameters } from '../query-parameters.ts';
import { RequestHeaders } from '../request-headers.ts';
import { readSignatureClaim } from './signature-claim.ts';
import type { SignedRequest } from './signed-request.ts';
import { verifySignature } from './verify-signature.ts';

// The examples of https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
// and sigv4-query-string-auth.html.
const ACCESS_KEY_ID = 'AKIAIOSFODNN7EXAMPLE';
const SECRET = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';
const NOW = new Date('2013-05-24T00:00:00Z');
const EMPTY = createHash('sha256').digest('hex');
const HOST = 'examplebucket.s3.amazonaws.com';

function request(method: string, url: string, headers: Record<string, string>): SignedRequest {
  const [path = '', query = ''] = url.split('?');
  return {
    method,
    path,
    query: new QueryParameters(query),
    headers: new RequestHeaders(Object.entries({ host: HOST, ...headers }).flat()),
  };
}

function authorization(signedHeaders: string, signature: string): string {
  return `AWS4-HMAC-SHA256 Credential=${ACCESS_KEY_ID}/20130524/us-east-1/s3/aws4_request,SignedHeaders=${signedHeaders},Signature=${signature}`;
}

function verify(signed: SignedRequest, payloadHash: string, now = NOW) {
  const credentials = (id: string) => (id === ACCESS_KEY_ID ? { secretAccessKey: SECRET } : undefined);
  return verifySignature(signed, readSignatureClaim(signed), { credentials, payloadHash, now });
}

describe("AWS's examples of signed headers", () => {
  const date = { 'x-amz-date': '20130524T000000Z' };
  it('GET Object with a range', async () => {
    const headers = {
      ...date,
      range: 'bytes=0-9',
      'x-amz-content-sha256': EMPTY,
      authorization: authorization(
        'host;range;x-amz-content-sha256;x-amz-date',
        'f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41',
      ),
    };
    await expect(verify(request('GET', '/test.txt', headers), EMPTY)).resolves.toMatchObject({
      claim: { accessKeyId: ACCESS_KEY_ID, region: 'us-east-1', service: 's3' },
    });
  });

  it('PUT Object with a character that must be encoded', async () => {
    const hash = '44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072';
    const headers = {
      ...date,
      date: 'Fri, 24 May 2013 00:00:00 GMT',
      'x-amz-content-sha256': hash,
      'x-amz-storage-class': 'REDUCED_REDUNDANCY',
      authorization: authorization(
        'date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class',
        '98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
      ),
    };
    await expect(verify(request('PUT', '/test$file.text', headers), hash)).resolves.toBeDefined();
  });

  it.each([
    ['/?lifecycle', 'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543'],
    ['/?max-keys=2&prefix=J', '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7'],
    ['/?prefix=J&max-keys=2', '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7'],
  ])('GET %s', async (url, signature) => {
    const headers = {
      ...date,
      'x-amz-content-sha256': EMPTY,
      authorization: authorization('host;x-amz-content-sha256;x-amz-date', signature),
    };
    await expect(verify(request('GET', url, headers), EMPTY)).resolves.toBeDefined();
    await expect(verify(request('GET', `${url}&more=`, headers), EMPTY)).rejects.toMatchObject({
      failure: 'signature-mismatch',
    });
  });
});

describe("AWS's example of a presigned URL", () => {
  const url = `/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=${ACCESS_KEY_ID}%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404`;

  it('is right for a day', async () => {
    const lastSecond = new Date('2013-05-25T00:00:00Z');
    await expect(verify(request('GET', url, {}), 'UNSIGNED-PAYLOAD', lastSecond)).resolves.toBeDefined();
  });

  it('is expired then', async () => {
    const later = new Date('2013-05-25T00:00:01Z');
    await expect(verify(request('GET', url, {}), 'UNSIGNED-PAYLOAD', later)).rejects.toMatchObject({
      failure: 'url-expired',
      details: { 'X-Amz-Expires': '86400', Expires: '2013-05-25T00:00:00.000Z' },
    });
  });
});

describe('an Authorization header', () => {
  const signature = 'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543';
  const own = authorization('host;x-amz-content-sha256;x-amz-date', signature);
  const signed = (header: string) =>
    request('GET', '/?lifecycle', {
      'x-amz-date': '20130524T000000Z',
      'x-amz-content-sha256': EMPTY,
      authorization: header,
    });

  it.each([`,Credential=x`, `,Signature=${signature}`, ',SignedHeaders=host', ',Other=x', ',__proto__=x'])(
    'is malformed with a further field: %s',
    (field) => {
      expect(() => readSignatureClaim(signed(`${own}${field}`))).toThrow(
        expect.objectContaining({ failure: 'malformed-header' }),
      );
    },
  );

  it.each([
    { service: 'rds', region: 'us-east-1' },
    { service: 's3', region: 'us-east-2' },
  ])('is wrong for the scope %j, and right for its own', async (other) => {
    const verifyFor = (scope: { service: string; region: string }) =>
      verifySignature(signed(own), readSignatureClaim(signed(own)), {
        credentials: () => ({ secretAccessKey: SECRET }),
        payloadHash: EMPTY,
        now: NOW,
        scope,
      });
    await expect(verifyFor({ service: 's3', region: 'us-east-1' })).resolves.toBeDefined();
    await expect(verifyFor(other)).rejects.toMatchObject({ failure: 'wrong-scope' });
  });

  it.each([
    ['a token of its own with permanent keys', {}, 'wrong-token'],
    ['another token than that of its keys', { sessionToken: 'other' }, 'wrong-token'],
    [
      'the token of keys that have ended',
      { sessionToken: 'token', expiresAt: new Date(NOW) },
      'token-expired',
    ],
  ])('is refused with %s', async (_name, credentials, failure) => {
    const tokened = request('GET', '/', {
      'x-amz-date': '20130524T000000Z',
      'x-amz-security-token': 'token',
      authorization: authorization('host;x-amz-date;x-amz-security-token', signature),
    });
    await expect(
      verifySignature(tokened, readSignatureClaim(tokened), {
        credentials: () => ({ secretAccessKey: SECRET, ...credentials }),
        payloadHash: EMPTY,
        now: NOW,
      }),
    ).rejects.toMatchObject({ failure });
  });
});
