import { afterEach, describe, expect, it } from 'vitest';
import { objectPath, S3Connection, type S3ConnectionOptions } from './connection.ts';

const open: S3Connection[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((connection) => connection.close()));
});

async function urlOf(
  bucket: string,
  key: string,
  options: Partial<S3ConnectionOptions> = {},
): Promise<string> {
  const connection = new S3Connection({
    region: 'us-west-2',
    credentials: () => Promise.reject(new Error('not needed')),
    ...options,
  });
  open.push(connection);
  const endpoint = await connection.endpointOf(bucket);
  return `${endpoint.protocol}//${endpoint.host}${objectPath(endpoint, key)}`;
}

describe('S3Connection', () => {
  it.each<[string, string, Partial<S3ConnectionOptions>, string]>([
    ['my-bucket', 'a b', {}, 'https://my-bucket.s3.us-west-2.amazonaws.com/a%20b'],
    ['my.bucket', 'k', {}, 'https://s3.us-west-2.amazonaws.com/my.bucket/k'],
    ['my-bucket', 'k', { region: 'cn-north-1' }, 'https://my-bucket.s3.cn-north-1.amazonaws.com.cn/k'],
    ['my-bucket', 'k', { forcePathStyle: true }, 'https://s3.us-west-2.amazonaws.com/my-bucket/k'],
    ['my-bucket', 'k', { endpoint: 'http://127.0.0.1:9000' }, 'http://127.0.0.1:9000/my-bucket/k'],
    ['my-bucket', 'k', { endpoint: 'http://[::1]:9000' }, 'http://[::1]:9000/my-bucket/k'],
    ['my-bucket', 'k', { endpoint: 'https://store.example/s3/' }, 'https://store.example/s3/my-bucket/k'],
    [
      'my-bucket',
      'k',
      { endpoint: 'https://store.example', forcePathStyle: false },
      'https://my-bucket.store.example/k',
    ],
    ['my-bucket', '../x//y', {}, 'https://my-bucket.s3.us-west-2.amazonaws.com/../x//y'],
  ])('finds the objects of %j: %j with %j', async (bucket, key, options, url) => {
    expect(await urlOf(bucket, key, options)).toBe(url);
  });

  it.each(['s3.example:9000', 'ftp://s3.example', 'nonsense'])('refuses the endpoint %j', (endpoint) => {
    const credentials = (): Promise<never> => Promise.reject(new Error('not needed'));
    expect(() => new S3Connection({ region: 'us-west-2', endpoint, credentials })).toThrow(
      expect.objectContaining({ code: 'invalid_argument' }),
    );
  });
});
