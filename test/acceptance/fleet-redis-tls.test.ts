import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CERTIFICATE, KEY } from '../../packages/sluice/test/source/certificate.ts';
import { hasClient } from '../support/clients.ts';
import { RedisServer } from '../support/redis-server.ts';
import { TestFleet } from '../support/test-fleet.ts';
import { TestStack } from '../support/test-stack.ts';

const PASSWORD = 'p@ss/w0rd';

let testStack: TestStack;
let redis: RedisServer;
let directory: string;
let port: number;

describe.skipIf(!hasClient('redis-server'))('a fleet whose Redis has users and TLS', () => {
  beforeAll(async () => {
    testStack = await TestStack.start();
    const superuser = await testStack.connect();
    await superuser.query(`CREATE TABLE small AS SELECT 'only row' AS text`);
    directory = await mkdtemp(join(tmpdir(), 'sluice-fleet-tls-'));
    await writeFile(join(directory, 'cert.pem'), CERTIFICATE);
    await writeFile(join(directory, 'key.pem'), KEY);
    redis = await RedisServer.start();
    port = await freePort();
    const connection = redis.connect();
    await connection.call(
      'CONFIG',
      'SET',
      'tls-cert-file',
      join(directory, 'cert.pem'),
      'tls-key-file',
      join(directory, 'key.pem'),
      'tls-auth-clients',
      'no',
      'tls-port',
      String(port),
      'bind',
      '127.0.0.1',
    );
    // No more than the fleet's keys.
    await connection.call(
      'ACL',
      'SETUSER',
      'fleet',
      'on',
      `>${PASSWORD}`,
      '~test:*',
      '+@all',
      '-@admin',
      '+client',
      '+info',
    );
    connection.disconnect();
  });
  afterAll(async () => {
    await redis?.[Symbol.asyncDispose]();
    await testStack?.stop();
    if (directory !== undefined) await rm(directory, { recursive: true, force: true });
  });

  const settings = (password = PASSWORD, ca: string | undefined = 'cert.pem') =>
    `url = "rediss://fleet:${encodeURIComponent(password)}@localhost:${port}"
    ${ca === undefined ? '' : `ca_file = "${join(directory, ca)}"`}`;

  it('exports as a user that may use the keys of the fleet only', async () => {
    await using fleet = await TestFleet.start(testStack, { redis, redisSettings: settings() });
    await fleet.startWorker();
    const id = await fleet.submit({ prefix: 'tls/', tables: ['public.small'] });
    expect(await fleet.client.follow(id)).toMatchObject({ rows: 1n, files: 1 });
    expect((await fleet.client.workers()).length).toBe(2);
  });

  it.each([
    ['a wrong password', () => settings('wrong-password'), /WRONGPASS/],
    [
      'a certificate that nobody trusts',
      () => settings(PASSWORD, undefined).replace('ca_file', '#'),
      /self-signed/,
    ],
  ])('says what is wrong with %s, and shows no password', async (_, redisSettings, detail) => {
    const error: unknown = await TestFleet.start(testStack, { redis, redisSettings: redisSettings() }).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ code: 'fleet_unavailable', detail: expect.stringMatching(detail) });
    expect(JSON.stringify(error) + String(error)).not.toMatch(/wrong-password|p@ss|p%40ss/);
  });
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port: free } = server.address() as AddressInfo;
  server.close();
  return free;
}
