import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AwsCommandLine } from '../../../../test/support/aws-command-line.ts';
import { hasClient } from '../../../../test/support/clients.ts';
import { ACCESS_KEY_ID, REGION, SECRET_ACCESS_KEY, startTestServer, type TestServer } from './test-server.ts';

describe.skipIf(!hasClient('aws'))('the aws command line (needs `aws` on the PATH)', () => {
  let server: TestServer;
  let commandLine: AwsCommandLine;
  let directory: string;

  beforeAll(async () => {
    server = await startTestServer();
    commandLine = await AwsCommandLine.at(
      { endpoint: server.endpoint, region: REGION },
      { accessKeyId: ACCESS_KEY_ID, secretAccessKey: SECRET_ACCESS_KEY },
    );
    directory = commandLine.directory;
  });

  afterAll(async () => {
    await server?.stop();
    await commandLine?.[Symbol.asyncDispose]();
  });

  async function aws(args: string[], secretAccessKey = SECRET_ACCESS_KEY): Promise<string> {
    return commandLine.aws(args, { accessKeyId: ACCESS_KEY_ID, secretAccessKey });
  }

  async function awsJson(args: string[]): Promise<Record<string, unknown>> {
    const json: unknown = JSON.parse(await aws([...args, '--output', 'json']));
    expect(json).toBeTypeOf('object');
    return Object(json);
  }

  it('makes and removes buckets', async () => {
    expect(await aws(['s3', 'mb', 's3://cli-made'])).toContain('make_bucket: cli-made');
    expect(await aws(['s3', 'ls'])).toContain('cli-made');
    expect(await aws(['s3', 'rb', 's3://cli-made'])).toContain('remove_bucket: cli-made');
  });

  it('copies 100 MB up, down and within S3, in parts', async () => {
    await aws(['s3', 'mb', 's3://cli-large']);
    const content = randomBytes(100_000_000);
    await writeFile(path.join(directory, 'large'), content);
    await aws(['s3', 'cp', 'large', 's3://cli-large/dir/large one', '--no-progress']);
    await aws(['s3', 'cp', 's3://cli-large/dir/large one', 's3://cli-large/second', '--no-progress']);
    await aws(['s3', 'cp', 's3://cli-large/second', 'back', '--no-progress']);
    expect((await readFile(path.join(directory, 'back'))).equals(content)).toBe(true);
    expect(await aws(['s3', 'ls', 's3://cli-large/'])).toMatch(/PRE dir\/\n.*100000000 second/);
  });

  it('syncs a tree with unusual names and removes it', async () => {
    await aws(['s3', 'mb', 's3://cli-sync']);
    const names = ['plain.txt', 'sub/two words.txt', 'sub/é+%20&.txt', "sub/deep/quote's.txt"];
    for (const name of names) {
      await mkdir(path.dirname(path.join(directory, 'tree', name)), { recursive: true });
      await writeFile(path.join(directory, 'tree', name), name);
    }
    await aws(['s3', 'sync', 'tree', 's3://cli-sync/t']);
    expect(await aws(['s3', 'sync', 'tree', 's3://cli-sync/t'])).toBe('');
    await aws(['s3', 'sync', 's3://cli-sync/t', 'tree-back']);
    for (const name of names) {
      expect(await readFile(path.join(directory, 'tree-back', name), 'utf8')).toBe(name);
    }
    const removed = await aws(['s3', 'rm', '--recursive', 's3://cli-sync']);
    expect(removed.match(/^delete: /gm)).toHaveLength(names.length);
    expect(await aws(['s3', 'ls', 's3://cli-sync', '--recursive']).catch(() => '')).toBe('');
  });

  it('drives a multipart upload by hand', async () => {
    await aws(['s3', 'mb', 's3://cli-parts']);
    const target = ['--bucket', 'cli-parts', '--key', 'by hand'];
    const { UploadId } = await awsJson(['s3api', 'create-multipart-upload', ...target]);
    const upload = [...target, '--upload-id', String(UploadId)];
    await writeFile(path.join(directory, 'part1'), randomBytes(5 * 1024 * 1024));
    await writeFile(path.join(directory, 'part2'), 'end');
    const parts: object[] = [];
    for (const number of ['1', '2']) {
      const part = await awsJson([
        's3api',
        'upload-part',
        ...upload,
        '--part-number',
        number,
        '--body',
        `part${number}`,
      ]);
      parts.push({ PartNumber: Number(number), ETag: part['ETag'], ChecksumCRC32: part['ChecksumCRC32'] });
    }
    expect((await awsJson(['s3api', 'list-parts', ...upload]))['Parts']).toHaveLength(2);
    expect(
      (await awsJson(['s3api', 'list-multipart-uploads', '--bucket', 'cli-parts']))['Uploads'],
    ).toHaveLength(1);
    await awsJson([
      's3api',
      'complete-multipart-upload',
      ...upload,
      '--multipart-upload',
      JSON.stringify({ Parts: parts }),
    ]);
    expect(await awsJson(['s3api', 'head-object', ...target])).toMatchObject({
      ContentLength: 5 * 1024 * 1024 + 3,
    });
  });

  it('signs URLs that work', async () => {
    await aws(['s3', 'mb', 's3://cli-presign']);
    await writeFile(path.join(directory, 'signed'), 'by url');
    await aws(['s3', 'cp', 'signed', 's3://cli-presign/a b']);
    const url = await aws(['s3', 'presign', 's3://cli-presign/a b']);
    expect(await (await fetch(url.trim())).text()).toBe('by url');
  });

  it('is refused with a wrong secret', async () => {
    await expect(aws(['s3', 'ls'], 'wrong')).rejects.toMatchObject({
      stderr: expect.stringContaining('SignatureDoesNotMatch'),
    });
  });
});
