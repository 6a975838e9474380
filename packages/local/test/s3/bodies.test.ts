import { createHash, createHmac } from 'node:crypto';
import { connect } from 'node:net';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import {
  CreateBucketCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { errorCode, sendSigned, signHeaders, type RawRequest } from './raw-request.ts';
import { REGION, SECRET_ACCESS_KEY, startTestServer, type TestServer } from './test-server.ts';

const Bucket = 'bodies-bucket';
const CRC32_OF_HELLOWORLD = '+esgrQ==';
let server: TestServer;
let s3: S3Client;

beforeAll(async () => {
  server = await startTestServer();
  s3 = server.client();
  await s3.send(new CreateBucketCommand({ Bucket }));
});

afterAll(() => server.stop());

function put(body: string, headers: Record<string, string>, options: Partial<RawRequest> = {}) {
  return sendSigned({
    port: server.port,
    method: 'PUT',
    path: `/${Bucket}/k`,
    body,
    payloadHash: 'UNSIGNED-PAYLOAD',
    headers: { 'content-length': String(body.length), ...headers },
    ...options,
  });
}

describe('a checksum', () => {
  const values = {
    'content-md5': 'XUFAKrxLKna5cZ2REBfFkg==',
    'x-amz-checksum-crc32': 'NhCmhg==',
    'x-amz-checksum-crc32c': 'mnG7TA==',
    'x-amz-checksum-crc64nvme': 'M3eFcAZSQlc=',
    'x-amz-checksum-sha1': 'qvTGHdzF6KLavt4PO0gs2a6pQ00=',
    'x-amz-checksum-sha256': 'LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=',
  };
  it.each(Object.entries(values))('%s of the body is accepted, of another refused', async (header, value) => {
    expect((await put('hello', { [header]: value })).status).toBe(200);
    const wrong = await put('hellO', { [header]: value });
    expect([wrong.status, errorCode(wrong)]).toEqual([400, 'BadDigest']);
  });

  it.each([
    ['InvalidDigest', { 'content-md5': 'short' }],
    ['InvalidRequest', { 'x-amz-checksum-crc32': 'short' }],
    ['InvalidRequest', { 'x-amz-checksum-crc32': 'NhCmhg==', 'x-amz-checksum-crc32c': 'mnG7TA==' }],
    ['InvalidRequest', { 'x-amz-sdk-checksum-algorithm': 'CRC32' }],
    ['InvalidRequest', { 'x-amz-checksum-md4': 'AAAA' }],
  ])('that cannot be used is %s (%#)', async (code, headers) => {
    expect(errorCode(await put('hello', headers))).toBe(code);
  });

  it('is given back when it is asked for, and not with a range', async () => {
    await put('hello', { 'x-amz-checksum-sha256': values['x-amz-checksum-sha256'] });
    const head = await s3.send(new HeadObjectCommand({ Bucket, Key: 'k', ChecksumMode: 'ENABLED' }));
    expect(head).toMatchObject({
      ChecksumSHA256: values['x-amz-checksum-sha256'],
      ChecksumType: 'FULL_OBJECT',
    });
    const ranged = await s3.send(
      new GetObjectCommand({ Bucket, Key: 'k', ChecksumMode: 'ENABLED', Range: 'bytes=0-1' }),
    );
    expect(ranged.ChecksumSHA256).toBeUndefined();
    expect(await ranged.Body?.transformToString()).toBe('he');
  });
});

describe('an aws-chunked body', () => {
  it('is decoded, and its trailing checksum checked', async () => {
    const chunked = (text: string, crc32: string) =>
      put(
        `3\r\n${text.slice(0, 3)}\r\n2\r\n${text.slice(3)}\r\n0\r\nx-amz-checksum-crc32:${crc32}\r\n\r\n`,
        {
          'content-encoding': 'gzip,aws-chunked',
          'x-amz-trailer': 'x-amz-checksum-crc32',
          'x-amz-decoded-content-length': '5',
        },
        { payloadHash: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER' },
      );
    expect((await chunked('hello', 'NhCmhg==')).status).toBe(200);
    const got = await s3.send(new GetObjectCommand({ Bucket, Key: 'k' }));
    expect(got.ContentEncoding).toBe('gzip');
    expect(await got.Body?.transformToString()).toBe('hello');
    expect(errorCode(await chunked('hellO', 'NhCmhg=='))).toBe('BadDigest');
  });

  it('without the trailer that it announced is MalformedTrailerError', async () => {
    const response = await put(
      '5\r\nhello\r\n0\r\n\r\n',
      { 'x-amz-trailer': 'x-amz-checksum-crc32', 'x-amz-decoded-content-length': '5' },
      { payloadHash: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER' },
    );
    expect(errorCode(response)).toBe('MalformedTrailerError');
  });

  it.each([
    ['IncompleteBody', '5\r\nhello\r\n0\r\n\r\n', '6'],
    ['IncompleteBody', '5\r\nhello\r\n0\r\n\r\n', '4'],
    ['IncompleteBody', '5\r\nhello\r\n', '5'],
    ['InvalidRequest', 'x\r\nhello\r\n0\r\n\r\n', '5'],
    ['InvalidRequest', '3\r\nhello\r\n0\r\n\r\n', '5'],
  ])('of the wrong form is %s (%#)', async (code, body, length) => {
    const response = await put(
      body,
      { 'x-amz-decoded-content-length': length },
      {
        payloadHash: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
      },
    );
    expect(errorCode(response)).toBe(code);
  });

  it.each([false, true])(
    'has signed chunks (with trailers: %s), which must be right',
    async (withTrailers) => {
      const send = async (alter: (body: string) => string) => {
        const payloadHash = `STREAMING-AWS4-HMAC-SHA256-PAYLOAD${withTrailers ? '-TRAILER' : ''}`;
        const raw: RawRequest = {
          port: server.port,
          method: 'PUT',
          path: `/${Bucket}/chunked`,
          payloadHash,
          headers: {
            'x-amz-decoded-content-length': '10',
            ...(withTrailers && { 'x-amz-trailer': 'x-amz-checksum-crc32' }),
          },
          signingDate: new Date(),
        };
        const headers = await signHeaders(raw);
        const body = alter(
          signedChunks(
            headers,
            ['hello', 'world'],
            withTrailers ? `x-amz-checksum-crc32:${CRC32_OF_HELLOWORLD}` : undefined,
          ),
        );
        return sendSigned({ ...raw, body, afterSigning: { 'content-length': String(body.length) } });
      };
      expect((await send((body) => body)).status).toBe(200);
      const alterations = [['world', 'World'], ...(withTrailers ? [[CRC32_OF_HELLOWORLD, 'AAAAAA==']] : [])];
      for (const [found = '', replacement = ''] of alterations) {
        const altered = await send((body) => body.replace(found, replacement));
        expect(errorCode(altered)).toBe('SignatureDoesNotMatch');
      }
    },
  );
});

describe('a body without a length', () => {
  it('is MissingContentLength, and in chunked transfer encoding NotImplemented', async () => {
    const unsized = { port: server.port, method: 'PUT', path: `/${Bucket}/k`, body: 'x' };
    const chunked = await sendSigned({ ...unsized, afterSigning: { 'transfer-encoding': 'chunked' } });
    expect([chunked.status, errorCode(chunked)]).toEqual([501, 'NotImplemented']);
    const decoded = await put('0\r\n\r\n', {}, { payloadHash: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER' });
    expect([decoded.status, errorCode(decoded)]).toEqual([411, 'MissingContentLength']);
  });
});

describe('a key', () => {
  it.each([
    '/plain',
    '//two//slashes//',
    '/..%2F..%2Fetc%2Fpasswd',
    '/../../etc/passwd',
    '/./a/../b',
    '/%00%01%0A%0D%7F',
    "/%20!%22%23$%25&'()*+,-.:;%3C=%3E%3F@%5B%5C%5D%5E_%60%7B%7C%7D~",
    '/a+b',
    '/%E2%82%AC%F0%9F%98%80',
    `/${'k'.repeat(1024)}`,
  ])('%s arrives as it is given', async (key) => {
    const decoded = decodeURIComponent(key.slice(1));
    // The path is sent as written here, but signed in AWS's canonical form.
    const response = await sendSigned({
      port: server.port,
      method: 'PUT',
      path: `/${Bucket}/${encodeURIComponent(decoded)
        .replaceAll('%2F', '/')
        .replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)}`,
      body: decoded,
      headers: { 'content-length': String(Buffer.byteLength(decoded)) },
    });
    expect(response.status).toBe(200);
    const got = await s3.send(new GetObjectCommand({ Bucket, Key: decoded }));
    expect(await got.Body?.transformToString()).toBe(decoded);
  });

  it('of more than 1,024 bytes is KeyTooLongError', async () => {
    await expect(
      s3.send(new PutObjectCommand({ Bucket, Key: 'é'.repeat(513), Body: 'x' })),
    ).rejects.toMatchObject({ name: 'KeyTooLongError' });
  });

  it('that is not percent-encoded UTF-8 is InvalidURI', async () => {
    const response = await sendSigned({ port: server.port, method: 'GET', path: `/${Bucket}/%ff` });
    expect([response.status, errorCode(response)]).toEqual([400, 'InvalidURI']);
  });
});

describe('an upload whose connection ends', () => {
  it('leaves no object and no file', async () => {
    const before = await dataFiles();
    const headers = await signHeaders({
      port: server.port,
      method: 'PUT',
      path: `/${Bucket}/broken`,
      payloadHash: 'UNSIGNED-PAYLOAD',
      headers: { 'content-length': '10000000' },
    });
    const socket = connect(server.port, '127.0.0.1');
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(`PUT /${Bucket}/broken HTTP/1.1\r\n${lines.join('')}\r\n`);
    socket.write(Buffer.alloc(3_000_000));
    await expect.poll(dataFiles).toBe(before + 1);
    socket.destroy();
    await expect.poll(dataFiles).toBe(before);
    await expect(s3.send(new HeadObjectCommand({ Bucket, Key: 'broken' }))).rejects.toMatchObject({
      name: 'NotFound',
    });
  });
});

describe('Expect: 100-continue', () => {
  const exchange = async (secret: string) => {
    const headers = await signHeaders({
      port: server.port,
      method: 'PUT',
      path: `/${Bucket}/expected`,
      payloadHash: 'UNSIGNED-PAYLOAD',
      headers: { 'content-length': '5' },
      credentials: { accessKeyId: 'AKIDLOCALTEST0000001', secretAccessKey: secret },
    });
    const socket = connect(server.port, '127.0.0.1');
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(`PUT /${Bucket}/expected HTTP/1.1\r\nexpect: 100-continue\r\n${lines.join('')}\r\n`);
    let received = '';
    socket.setEncoding('utf8');
    for await (const chunk of socket) {
      received += String(chunk);
      if (received.endsWith('100 Continue\r\n\r\n')) socket.write('hello');
      if (received.includes('200 OK') && received.endsWith('\r\n\r\n')) socket.end();
    }
    return received;
  };

  it('is answered when the request may be made', async () => {
    expect(await exchange(SECRET_ACCESS_KEY)).toMatch(/^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200 OK/);
  });

  it('is not answered when the signature is wrong: the client need not send the body', async () => {
    expect(await exchange('wrong')).toMatch(/^HTTP\/1.1 403 Forbidden/);
  });
});

/** The body of https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html for a signed request. */
function signedChunks(
  headers: Record<string, string>,
  chunks: string[],
  trailer: string | undefined,
): string {
  const date = headers['x-amz-date'] ?? '';
  const scope = [date.slice(0, 8), REGION, 's3', 'aws4_request'];
  const key = scope.reduce(
    (secret, part) => createHmac('sha256', secret).update(part).digest(),
    Buffer.from(`AWS4${SECRET_ACCESS_KEY}`),
  );
  let previous = /Signature=(\w+)/.exec(headers['authorization'] ?? '')?.[1] ?? '';
  const sign = (algorithm: string, hashes: string[]) => {
    previous = createHmac('sha256', key)
      .update([algorithm, date, scope.join('/'), previous, ...hashes].join('\n'))
      .digest('hex');
    return previous;
  };
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
  const body = [...chunks, ''].map((chunk) => {
    const signature = sign('AWS4-HMAC-SHA256-PAYLOAD', [sha256(''), sha256(chunk)]);
    const data = chunk === '' ? '' : `${chunk}\r\n`;
    return `${chunk.length.toString(16)};chunk-signature=${signature}\r\n${data}`;
  });
  if (trailer === undefined) return `${body.join('')}\r\n`;
  const signature = sign('AWS4-HMAC-SHA256-TRAILER', [sha256(`${trailer}\n`)]);
  return `${body.join('')}${trailer}\r\nx-amz-trailer-signature:${signature}\r\n\r\n`;
}

async function dataFiles(): Promise<number> {
  const data = path.join(server.directory, 's3', Bucket, 'data');
  const entries = await readdir(data, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).length;
}
