import { createServer } from 'node:net';
import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startFaultProxy, type FaultProxy } from '../../packages/sluice/test/exporter/fault-proxy.ts';
import { allow, AwsAccount } from '../support/aws-account.ts';
import { runExport, type CommandOptions } from '../support/export-command.ts';
import { BUCKET, TestStack } from '../support/test-stack.ts';

/** What only those can follow who call the SQL functions, run the agent, or write a program. */
const OTHERS = /argument|aws_s3|aws_commons|sluice\.toml|the agent|associated|[Tt]he role|S3Connection/;
const LISTING = ['s3:ListBucket'];

let testStack: TestStack;
let account: AwsAccount;
let proxy: FaultProxy;

beforeAll(async () => {
  testStack = await TestStack.start();
  account = new AwsAccount(testStack.stack);
  proxy = await startFaultProxy(testStack.stack.aws.endpoint);
  const client = await testStack.connect();
  await client.query('CREATE TABLE item AS SELECT generate_series(1, 10) AS id');
});
afterEach(async () => {
  await testStack.expectNothingLeft();
  expect(await testStack.keys('')).toEqual([]);
});
afterAll(async () => {
  account?.close();
  await proxy?.close();
  await testStack?.stop();
});

/** The message, detail and hint of an export that fails, of a table and of a query. */
async function failures(
  options: CommandOptions,
  args: readonly string[] = [],
  bucket = BUCKET,
): Promise<string[]> {
  const database = ['-d', testStack.stack.postgres.url, ...args];
  const finished = await Promise.all([
    runExport(testStack, [`s3://${bucket}/table/`, ...database, '-t', 'item'], options),
    runExport(testStack, [`s3://${bucket}/query`, ...database, '-q', 'SELECT 1'], options),
  ]);
  for (const { status, stdout } of finished) expect([status, stdout]).toEqual([1, '']);
  return finished.map(({ stderr }) => stderr);
}

async function closedPort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? `http://127.0.0.1:${address.port}` : '';
}

describe('sluice export names what its caller can change', () => {
  const OVERWRITE = ['--if-exists', 'overwrite'];

  it.each([
    ['could not list the bucket in Amazon S3', []],
    ['could not upload to Amazon S3', OVERWRITE],
  ])('when the Region is wrong: %s', async (message, args) => {
    for (const stderr of await failures({}, ['--region', 'eu-west-3', ...args])) {
      expect(stderr).toContain(`sluice: ${message}\n`);
      expect(stderr).toContain(`not eu-west-3: give --region ${testStack.stack.aws.region}.`);
      expect(stderr).not.toMatch(OTHERS);
    }
  });

  it('when nothing listens at the endpoint', async () => {
    const endpoint = await closedPort();
    for (const stderr of await failures({}, ['--endpoint', endpoint])) {
      expect(stderr).toContain(`Nothing accepts connections at ${endpoint}: check --endpoint`);
      expect(stderr).not.toMatch(OTHERS);
    }
  });

  it.each([[[]], [OVERWRITE]])('when there is no such bucket: %j', async (args) => {
    for (const stderr of await failures({}, args, 'no-such-bucket')) {
      expect(stderr).toMatch(/There is no bucket "no-such-bucket" at http.*--region or --endpoint/);
      expect(stderr).not.toMatch(OTHERS);
    }
  });

  it('when it may not list', async () => {
    const env = await account.userWith(allow(['s3:PutObject'], ['*']));
    for (const stderr of await failures({ env })) {
      expect(stderr).toContain('sluice: could not list the bucket in Amazon S3\n');
      expect(stderr).toMatch(
        /HINT: {2}The identity of these AWS credentials needs s3:ListBucket on arn:aws:s3:::sample-bucket; .* give --if-exists overwrite\./,
      );
      expect(stderr).not.toMatch(OTHERS);
    }
  });

  it('when it may not put', async () => {
    const env = await account.userWith(allow(LISTING, ['*']));
    for (const stderr of await failures({ env })) {
      expect(stderr).toContain('sluice: could not upload to Amazon S3\n');
      expect(stderr).toMatch(
        /The identity of these AWS credentials needs s3:PutObject on arn:aws:s3:::sample/,
      );
      expect(stderr).not.toMatch(OTHERS);
    }
  });

  it('when the key is unknown', async () => {
    const env = { AWS_ACCESS_KEY_ID: 'AKIANOBODY', AWS_SECRET_ACCESS_KEY: 'x' };
    for (const stderr of await failures({ env })) {
      expect(stderr).toMatch(/not known at http.*: check AWS_ACCESS_KEY_ID and .*--profile/);
      expect(stderr).not.toMatch(OTHERS);
    }
  });

  it.each([[[]], [OVERWRITE]])('when the credentials have expired: %j', async (args) => {
    proxy.inject(/./, { do: 'answer', status: 400, code: 'ExpiredToken' }, 1_000);
    for (const stderr of await failures({}, ['--endpoint', proxy.endpoint, ...args])) {
      expect(stderr).toContain('gave expired ones again: set new ones in the environment');
      expect(stderr).not.toMatch(OTHERS);
    }
  });

  it('when there are none', async () => {
    const env = { AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '' };
    for (const stderr of await failures({ env })) {
      expect(stderr).toContain('sluice: no AWS credentials were found\nDETAIL: ');
      expect(stderr).toMatch(/HINT: .*check AWS_ACCESS_KEY_ID/);
      expect(stderr).not.toMatch(OTHERS);
    }
  });

  it('when the profile does not exist', async () => {
    const env = { AWS_ACCESS_KEY_ID: '', AWS_SECRET_ACCESS_KEY: '' };
    for (const stderr of await failures({ env }, ['--profile', 'nobody'])) {
      expect(stderr).toContain('HINT:  Is there a profile "nobody" (aws configure list-profiles)');
      expect(stderr).not.toMatch(OTHERS);
    }
  });
});
