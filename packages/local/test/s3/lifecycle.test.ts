import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { Readable } from 'node:stream';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterEach, describe, expect, it } from 'vitest';
import { startAwsServer } from '../../src/aws/server.ts';
import type { AuthorizationRequest } from '../../src/aws/identity.ts';
import { signHeaders } from './raw-request.ts';
import { ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY, startTestServer, type TestServer } from './test-server.ts';

const Bucket = 'kept-bucket';
const credentials = { accessKeyId: ACCESS_KEY_ID, secretAccessKey: SECRET_ACCESS_KEY };
const servers: TestServer[] = [];

async function start(...options: Parameters<typeof startTestServer>): Promise<TestServer> {
  const server = await startTestServer(...options);
  servers.push(server);
  return server;
}

afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
});

describe('after a restart', () => {
  it('buckets, objects, metadata and open uploads are there', async () => {
    const server = await start();
    const before = server.client();
    await before.send(new CreateBucketCommand({ Bucket }));
    await before.send(
      new PutObjectCommand({ Bucket, Key: 'é/k', Body: 'kept', Metadata: { a: 'b' }, ContentType: 'x/y' }),
    );
    const { UploadId } = await before.send(new CreateMultipartUploadCommand({ Bucket, Key: 'open' }));
    const part = await before.send(
      new UploadPartCommand({ Bucket, Key: 'open', UploadId, PartNumber: 1, Body: 'part' }),
    );
    await server.restart();
    const after = server.client();
    const got = await after.send(new GetObjectCommand({ Bucket, Key: 'é/k' }));
    expect(await got.Body?.transformToString()).toBe('kept');
    expect(got).toMatchObject({
      Metadata: { a: 'b' },
      ContentType: 'x/y',
      ChecksumCRC32: expect.any(String),
    });
    const { Parts } = await after.send(new ListPartsCommand({ Bucket, Key: 'open', UploadId }));
    expect(Parts).toMatchObject([{ PartNumber: 1, ETag: part.ETag }]);
    const Done = [{ PartNumber: 1, ETag: part.ETag, ChecksumCRC32: part.ChecksumCRC32 }];
    await after.send(
      new CompleteMultipartUploadCommand({ Bucket, Key: 'open', UploadId, MultipartUpload: { Parts: Done } }),
    );
    await server.restart();
    const completed = await server.client().send(new GetObjectCommand({ Bucket, Key: 'open' }));
    expect(await completed.Body?.transformToString()).toBe('part');
  });

  it('a line that was being written and files that nobody owns are gone', async () => {
    const server = await start();
    await server.client().send(new CreateBucketCommand({ Bucket }));
    await server.client().send(new PutObjectCommand({ Bucket, Key: 'whole', Body: 'x' }));
    const directory = path.join(server.directory, 's3', Bucket);
    await appendFile(path.join(directory, 'contents.log'), '{"put":{"key":"torn"');
    const [shard = ''] = await readdir(path.join(directory, 'data'));
    await writeFile(path.join(directory, 'data', shard, 'orphan'), 'left over');
    await server.restart();
    const { Contents } = await server.client().send(new ListObjectsV2Command({ Bucket }));
    expect(Contents?.map(({ Key }) => Key)).toEqual(['whole']);
    expect(await readdir(path.join(directory, 'data', shard))).not.toContain('orphan');
    await server.client().send(new PutObjectCommand({ Bucket, Key: 'torn', Body: 'x' }));
    await server.restart();
    expect((await server.client().send(new ListObjectsV2Command({ Bucket }))).KeyCount).toBe(2);
  });

  it('the log holds only what matters', async () => {
    const server = await start();
    const s3 = server.client();
    await s3.send(new CreateBucketCommand({ Bucket }));
    await s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'first' }));
    const log = path.join(server.directory, 's3', Bucket, 'contents.log');
    await appendFile(log, '{"delete":"nothing"}\n'.repeat(10_001));
    await server.restart();
    const content = await readFile(log, 'utf8');
    expect(content.split('\n')).toHaveLength(2);
    const got = await server.client().send(new GetObjectCommand({ Bucket, Key: 'k' }));
    expect(await got.Body?.transformToString()).toBe('first');
  });
});

describe('a server that is killed', () => {
  it('has every object that it acknowledged, whole, and no other file', async () => {
    const directory = await mkdtemp(path.join(tmpdir(), 'sluice-s3-killed-'));
    const child = spawnServer(directory);
    try {
      const [line]: unknown[] = await once(child.stdout.setEncoding('utf8'), 'data');
      const s3 = new S3Client({
        endpoint: String(line).trim(),
        region: REGION,
        forcePathStyle: true,
        credentials,
        maxAttempts: 1,
      });
      await s3.send(new CreateBucketCommand({ Bucket }));
      const acknowledged: string[] = [];
      const writers = Array.from({ length: 4 }, async (_, writer) => {
        for (let number = 0; ; number++) {
          const Key = `${writer}/${number}`;
          await s3.send(new PutObjectCommand({ Bucket, Key, Body: Key.padEnd(100_000, '.') }));
          acknowledged.push(Key);
        }
      });
      const ended = Promise.allSettled(writers);
      await expect.poll(() => acknowledged.length, { timeout: 20_000 }).toBeGreaterThan(40);
      child.kill('SIGKILL');
      await ended;
      s3.destroy();
      await expectWhole(directory, acknowledged);
    } finally {
      child.kill('SIGKILL');
      await rm(directory, { recursive: true, force: true });
    }
  });

  /** Every acknowledged key must exist with its content. Keys whose answer was lost may exist as well. */
  async function expectWhole(directory: string, keys: readonly string[]): Promise<void> {
    const server = await startAwsServer({ port: 0, directory, credentials: () => credentials });
    const s3 = new S3Client({ endpoint: server.endpoint, region: REGION, forcePathStyle: true, credentials });
    try {
      const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket }));
      const found = Contents.map(({ Key }) => Key ?? '');
      expect(found).toEqual(expect.arrayContaining([...keys]));
      for (const Key of found) {
        const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
        expect(await Body?.transformToString()).toBe(Key.padEnd(100_000, '.'));
      }
      const files = await readdir(path.join(directory, 's3', Bucket, 'data'), {
        recursive: true,
        withFileTypes: true,
      });
      expect(files.filter((file) => file.isFile())).toHaveLength(found.length);
    } finally {
      s3.destroy();
      await server.stop();
    }
  }

  /** Runs the built server as a separate process, which prints its endpoint. */
  function spawnServer(directory: string) {
    const script = `
      import { startAwsServer } from ${JSON.stringify(new URL('../../dist/aws/server.js', import.meta.url).href)};
      const credentials = () => (${JSON.stringify(credentials)});
      const server = await startAwsServer({ port: 0, directory: ${JSON.stringify(directory)}, credentials });
      console.log(server.endpoint);`;
    return spawn(process.execPath, ['--input-type=module', '--eval', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
  }
});

describe('stopping', () => {
  it('does not wait for idle connections', async () => {
    const server = await start();
    await server.client().send(new CreateBucketCommand({ Bucket }));
    const startedMs = performance.now();
    await server.stop();
    expect(performance.now() - startedMs).toBeLessThan(1000);
  });

  it('lets a running request end', async () => {
    const server = await start();
    const s3 = server.client();
    await s3.send(new CreateBucketCommand({ Bucket }));
    let restarted: Promise<void> | undefined;
    async function* halves() {
      yield Buffer.alloc(250_000);
      // By then the first half of the body has been sent.
      await delay(300);
      restarted = server.restart();
      await delay(300);
      yield Buffer.alloc(250_000);
    }
    const slowly = Readable.from(halves());
    const put = s3.send(new PutObjectCommand({ Bucket, Key: 'slow', Body: slowly, ContentLength: 500_000 }));
    expect((await put).ETag).toBeDefined();
    await restarted;
    const head = await server.client().send(new HeadObjectCommand({ Bucket, Key: 'slow' }));
    expect(head.ContentLength).toBe(500_000);
  });

  it('ends a request that does not end by itself, after a few seconds', async () => {
    const server = await start();
    await server.client().send(new CreateBucketCommand({ Bucket }));
    const headers = await signHeaders({
      port: server.port,
      method: 'PUT',
      path: `/${Bucket}/never`,
      payloadHash: 'UNSIGNED-PAYLOAD',
      headers: { 'content-length': '10' },
    });
    const socket = connect(server.port, '127.0.0.1');
    const ended = once(socket, 'close');
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(`PUT /${Bucket}/never HTTP/1.1\r\n${lines.join('')}\r\nhalf`);
    await delay(200);
    const startedMs = performance.now();
    await server.restart();
    expect(performance.now() - startedMs).toBeGreaterThan(1000);
    expect(performance.now() - startedMs).toBeLessThan(6000);
    await ended;
    const { KeyCount } = await server.client().send(new ListObjectsV2Command({ Bucket }));
    expect(KeyCount).toBe(0);
  });
});

describe('a port that is taken', () => {
  it('is refused, or another is taken when that is asked for', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const address = other.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const directory = await mkdtemp(path.join(tmpdir(), 'sluice-s3-port-'));
    try {
      const options = { port, directory, credentials: () => undefined };
      await expect(startAwsServer(options)).rejects.toMatchObject({ code: 'port_busy' });
      const server = await startAwsServer({ ...options, onPortBusy: 'take-any' });
      expect(server.port).not.toBe(port);
      await server.stop();
      await expect(startAwsServer({ ...options, host: '0.0.0.0' })).rejects.toMatchObject({
        code: 'invalid_option',
      });
    } finally {
      other.close();
      await rm(directory, { recursive: true, force: true });
    }
  });
});

describe('the authorisation', () => {
  it('is asked for each action with its resource and conditions, and its refusal is AccessDenied', async () => {
    const asked: AuthorizationRequest[] = [];
    const server = await start({
      authorize: (request) => {
        asked.push(request);
        const allowed = request.action !== 's3:GetObject' && !request.resource.endsWith('/kept');
        return { allowed };
      },
    });
    const s3 = server.client();
    await s3.send(new CreateBucketCommand({ Bucket }));
    await s3.send(new PutObjectCommand({ Bucket, Key: 'a/k', Body: 'x', ServerSideEncryption: 'aws:kms' }));
    expect(asked.at(-1)).toMatchObject({
      action: 's3:PutObject',
      resource: `arn:aws:s3:::${Bucket}/a/k`,
      principal: { type: 'root', accountId: '000000000000' },
    });
    expect(asked.at(-1)?.conditions.get('s3:x-amz-server-side-encryption')).toBe('aws:kms');
    expect(asked.at(-1)?.conditions.get('aws:SourceIp')).toBe('127.0.0.1');
    await s3.send(new ListObjectsV2Command({ Bucket, Prefix: 'a/' }));
    expect(asked.at(-1)).toMatchObject({ action: 's3:ListBucket', resource: `arn:aws:s3:::${Bucket}` });
    expect(asked.at(-1)?.conditions.get('s3:prefix')).toBe('a/');
    await expect(s3.send(new GetObjectCommand({ Bucket, Key: 'a/k' }))).rejects.toMatchObject({
      name: 'AccessDenied',
      message: `User: arn:aws:iam::000000000000:root is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::${Bucket}/a/k" because no identity-based policy allows the s3:GetObject action`,
    });
    const { Deleted, Errors } = await s3.send(
      new DeleteObjectsCommand({ Bucket, Delete: { Objects: [{ Key: 'a/k' }, { Key: 'kept' }] } }),
    );
    expect(Deleted).toMatchObject([{ Key: 'a/k' }]);
    expect(Errors).toMatchObject([{ Key: 'kept', Code: 'AccessDenied' }]);
  });

  it('to list is needed to be told that a key does not exist', async () => {
    const server = await start({ authorize: ({ action }) => ({ allowed: action !== 's3:ListBucket' }) });
    await server.client().send(new CreateBucketCommand({ Bucket }));
    await expect(server.client().send(new GetObjectCommand({ Bucket, Key: 'none' }))).rejects.toMatchObject({
      name: 'AccessDenied',
    });
  });
});
