import { describe, expect, it } from 'vitest';
import { redisOptions } from './redis.ts';
import { Secret } from './secret.ts';

const optionsOf = (url: string, caFile?: string) =>
  redisOptions({ redis: { url: new Secret('redis.url', { value: url }), caFile } });

describe('redisOptions', () => {
  it.each([
    ['redis://redis.example', { host: 'redis.example', port: 6379 }],
    [
      'redis://user:p%40ss@redis.example:6380/5',
      { host: 'redis.example', port: 6380, username: 'user', password: 'p@ss', db: 5 },
    ],
    ['redis://:secret@[::1]:6379/', { host: '::1', port: 6379, password: 'secret' }],
    ['rediss://redis.example', { host: 'redis.example', port: 6379, tls: {} }],
    ['unix:///run/redis.sock?db=2', { path: '/run/redis.sock', db: 2 }],
  ])('reads %s', async (url, expected) => {
    const {
      connectTimeout: _,
      keepAlive: __,
      retryStrategy,
      maxRetriesPerRequest: ___,
      ...address
    } = await optionsOf(url);
    expect(address).toEqual(expected);
    expect(retryStrategy(1_000)).toBeLessThan(3_000);
  });

  it.each(['secret.example:6379', 'http://secret.example', 'redis://secret.example/sales', 'secret'])(
    'refuses %j, and does not show it',
    async (url) => {
      const error: unknown = await optionsOf(url).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(error).toMatchObject({ code: 'config_invalid' });
      expect(String(error)).not.toMatch(/secret/);
    },
  );

  it('takes certificates only for TLS', async () => {
    const file = new URL(import.meta.url).pathname;
    await expect(optionsOf('redis://redis.example', file)).rejects.toThrow('not encrypted');
    await expect(optionsOf('rediss://redis.example', '/none')).rejects.toThrow('could not read "/none"');
    expect((await optionsOf('rediss://redis.example', file)).tls?.ca).toContain(
      'takes certificates only for TLS',
    );
  });
});
