import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { CreateBucketCommand, ListMultipartUploadsCommand } from '@aws-sdk/client-s3';
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { allow, AwsAccount } from '../support/aws-account.ts';
import { runSluice } from '../support/export-command.ts';
import { StackWithStandby } from '../support/standby.ts';
import { BUCKET, type TestStack } from '../support/test-stack.ts';

/** `sluice doctor --from-outside`: set-ups that are well, and broken ones, each found by the check that is about it. */

const TARGET = `s3://${BUCKET}/sales/`;
const CHECKS = [
  'connection',
  'server',
  'snapshot',
  'tables',
  'limits',
  'sessions',
  'compression',
  'region',
  'list',
  'put',
  'multipart',
  'abort',
];

interface Check {
  name: string;
  status: string;
  found: string;
  mend?: string;
}

let both: StackWithStandby;
let testStack: TestStack;
let superuser: pg.Client;
let account: AwsAccount;

beforeAll(async () => {
  both = await StackWithStandby.start();
  ({ testStack } = both);
  superuser = await testStack.connect();
  account = new AwsAccount(testStack.stack);
  await superuser.query(`
    CREATE SCHEMA shop;
    CREATE TABLE shop.orders AS SELECT g AS id FROM generate_series(1, 1000) AS g;
    CREATE VIEW shop.recent AS SELECT * FROM shop.orders;
    CREATE ROLE reader LOGIN PASSWORD 'reader' CONNECTION LIMIT 3;
    GRANT USAGE ON SCHEMA shop TO reader`);
});
afterAll(async () => {
  account?.close();
  await both?.stop();
});
afterEach(async () => {
  expect(await testStack.keys('')).toEqual([]);
  const { Uploads = [] } = await testStack.s3.send(new ListMultipartUploadsCommand({ Bucket: BUCKET }));
  expect(Uploads).toEqual([]);
});

async function diagnose(
  args: readonly string[],
  {
    database = testStack.stack.postgres.url,
    env = {},
  }: { database?: string; env?: Record<string, string> } = {},
) {
  const { status, stdout, stderr } = await runSluice(
    testStack,
    ['doctor', '--from-outside', '--json', '-d', database, ...args],
    { env },
  );
  expect(stderr).toBe('');
  const { checks } = JSON.parse(stdout) as { checks: Check[] };
  expect(checks.map(({ name }) => name)).toEqual(CHECKS);
  const withStatus = (wanted: string) =>
    checks.filter((check) => check.status === wanted).map(({ name }) => name);
  const check = (name: string): Check =>
    checks.find((each) => each.name === name) ?? { name, status: '', found: '' };
  return {
    status,
    check,
    failed: withStatus('failed'),
    warned: withStatus('warning'),
    skipped: withStatus('skipped'),
  };
}

function urlOf(change: (url: URL) => void): string {
  const url = new URL(testStack.stack.postgres.url);
  change(url);
  return url.href;
}

const asReader = () => urlOf((url) => Object.assign(url, { username: 'reader', password: 'reader' }));

describe('what is well', () => {
  it('passes every check, and leaves nothing', async () => {
    const { status, failed, warned, skipped, check } = await diagnose([TARGET, '-t', 'shop.*', '-j', '2']);
    expect({ status, failed, warned, skipped }).toEqual({ status: 0, failed: [], warned: [], skipped: [] });
    expect(check('connection').found).toMatch(/^database "postgres" at .* lets "postgres" in$/);
    expect(check('server').found).toMatch(/^PostgreSQL .*, a primary$/);
    expect(check('tables').found).toMatch(
      /^shop\.orders can be read \(1 MB on disk\); .*left out: the view shop\.recent$/,
    );
    expect(check('sessions').found).toMatch(/^\d+ of \d+ connections are in use, 3 are needed$/);
    expect(check('region').found).toBe(`"${BUCKET}" is in us-west-2`);
    expect(check('list').found).toBe(`${TARGET} is empty`);
  });

  it('is told in lines, and what is not named is left out', async () => {
    const { status, stdout } = await runSluice(testStack, [
      'doctor',
      '--from-outside',
      '-d',
      testStack.stack.postgres.url,
    ]);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^ok {7}connection {3}database /m);
    expect(stdout).toMatch(/^skipped {2}tables {7}no tables named: give --table/m);
    expect(stdout).toMatch(/^skipped {2}abort {8}no bucket named: give s3:\/\/bucket\/prefix$/m);
    expect(stdout).toMatch(/\n6 ok, 6 skipped\n$/);
  });

  it('takes PG* variables, and limits that an export sets off are no harm', async () => {
    await superuser.query(
      `ALTER ROLE reader SET statement_timeout = '5s'; GRANT SELECT ON shop.orders TO reader`,
    );
    const { hostname, port } = new URL(asReader());
    const env = {
      PGHOST: hostname,
      PGPORT: port,
      PGUSER: 'reader',
      PGPASSWORD: 'reader',
      PGDATABASE: 'postgres',
    };
    const { failed, check } = await diagnose(['-t', 'shop.orders', '-j', '1'], {
      database: 'sslmode=disable',
      env,
    });
    await superuser.query(
      'ALTER ROLE reader RESET statement_timeout; REVOKE SELECT ON shop.orders FROM reader',
    );
    expect(failed).toEqual([]);
    expect(check('limits').found).toBe('set off for an export: statement_timeout = 5s');
  });
});

describe('what is broken at the database', () => {
  it.each([
    [
      'the password is wrong',
      (url: URL) => (url.password = 'not-this-one'),
      /password authentication failed.*/,
      /PGPASSWORD/,
    ],
    [
      'there is no such database',
      (url: URL) => (url.pathname = '/nothing'),
      /"nothing" does not exist/,
      /psql -l/,
    ],
    ['nobody listens', (url: URL) => (url.port = '1'), /ECONNREFUSED/, /listen_addresses/],
    [
      'the server has no TLS',
      (url: URL) => (url.search = '?sslmode=require'),
      /SSL/,
      /sslmode=disable|ssl = on/,
    ],
  ])('%s', async (_what, change, found, mend) => {
    const { status, failed, skipped, check } = await diagnose([TARGET], { database: urlOf(change) });
    expect({ status, failed }).toEqual({ status: 1, failed: ['connection'] });
    expect(skipped).toEqual(['server', 'snapshot', 'tables', 'limits', 'sessions']);
    expect(check('connection').found).toMatch(found);
    expect(check('connection').found).not.toContain('not-this-one');
    expect(check('connection').mend).toMatch(mend);
    expect(check('abort').status).toBe('ok');
  });

  it('a table may not be read, or is not there', async () => {
    const denied = await diagnose(['-t', 'shop.orders', '-j', '1'], { database: asReader() });
    expect(denied.failed).toEqual(['tables']);
    expect(denied.check('tables')).toMatchObject({
      found: expect.stringContaining('"shop.orders" may not be read') as unknown,
      mend: expect.stringContaining('GRANT SELECT') as unknown,
    });
    const missing = await diagnose(['-t', 'shop.customers']);
    expect(missing.failed).toEqual(['tables']);
    expect(missing.check('tables').found).toContain('shop.customers');
  });

  it('somebody holds a lock on a table', async () => {
    await superuser.query('BEGIN; LOCK TABLE shop.orders');
    const { failed, check } = await diagnose(['-t', 'shop.orders']);
    await superuser.query('ROLLBACK');
    expect(failed).toEqual(['tables']);
    expect(check('tables').mend).toContain('pg_locks');
  });

  it('the role may have fewer connections than an export needs', async () => {
    const { status, failed, check } = await diagnose(['-j', '4'], { database: asReader() });
    expect({ status, failed }).toEqual({ status: 1, failed: ['sessions'] });
    expect(check('sessions')).toMatchObject({
      found: '1 of the 3 connections of the role are in use, and 4 more are needed (--jobs 4)',
      mend: 'Give a smaller --jobs, or ALTER ROLE ... CONNECTION LIMIT.',
    });
  });

  it('a standby ends long queries', async () => {
    const { status, warned, check } = await diagnose([], { database: both.standby.url });
    expect({ status, warned }).toEqual({ status: 0, warned: ['limits'] });
    expect(check('server').found).toMatch(/, a standby$/);
    expect(check('limits')).toMatchObject({
      found: expect.stringContaining('after 30s (max_standby_streaming_delay)') as unknown,
      mend: expect.stringContaining('hot_standby_feedback = on') as unknown,
    });
  });

  it('what stands between spreads sessions over several servers', async () => {
    const ports = [testStack.stack.postgres.url, both.standby.url].map((url) => Number(new URL(url).port));
    // Without a first try of TLS, each session is one connection.
    await using balancer = await Balancer.start(ports);
    const { failed, check } = await diagnose([], {
      database: urlOf((url) =>
        Object.assign(url, { port: String(balancer.port), search: '?sslmode=disable' }),
      ),
    });
    expect(failed).toEqual(['snapshot']);
    expect(check('snapshot').mend).toContain('connect to one server itself');
  });
});

describe('what is broken at S3', () => {
  it('the bucket is not there, or in another Region', async () => {
    const missing = await diagnose(['s3://no-such-bucket/']);
    expect(missing.failed).toEqual(['region']);
    expect(missing.check('region').found).toBe('there is no bucket "no-such-bucket"');
    await testStack.s3.send(
      new CreateBucketCommand({
        Bucket: 'frankfurt-outside',
        CreateBucketConfiguration: { LocationConstraint: 'eu-central-1' },
      }),
    );
    const elsewhere = await diagnose(['s3://frankfurt-outside/']);
    expect(elsewhere.failed).toEqual(['region']);
    expect(elsewhere.check('region').found).toContain('is in eu-central-1');
    const named = await diagnose(['s3://frankfurt-outside/', '--region', 'eu-central-1']);
    expect(named.failed).toEqual([]);
  });

  it('no Region is known', async () => {
    const { failed, check } = await diagnose([TARGET], { env: { AWS_REGION: '' } });
    expect(failed).toEqual(['region']);
    expect(check('region')).toMatchObject({
      found: 'no AWS Region is known',
      mend: expect.stringContaining('--region') as unknown,
    });
  });

  it('the user may not list or write', async () => {
    const writer = await account.userWith(
      allow(['s3:PutObject', 's3:AbortMultipartUpload', 's3:DeleteObject'], ['*']),
    );
    const unlisted = await diagnose([TARGET], { env: writer });
    expect(unlisted.failed).toEqual([]);
    expect(unlisted.warned).toEqual(['list']);
    expect(unlisted.check('list').mend).toContain('--if-exists overwrite');
    const reader = await account.userWith(allow(['s3:ListBucket'], ['*']));
    const readOnly = await diagnose([TARGET], { env: reader });
    expect(readOnly.failed).toEqual(['put', 'multipart']);
    expect(readOnly.check('put').mend).toContain('s3:PutObject');
  });
});

describe('a wrong command line', () => {
  it.each([
    [['--from-outside', '--config', 'x']],
    [['-t', 'shop.orders']],
    [['--endpoint', 'http://127.0.0.1']],
    [['--from-outside', '-j', '0']],
    [['-d', 'host=x']],
  ])('%j', async (args) => {
    const { status, stdout, stderr } = await runSluice(testStack, ['doctor', ...args]);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain('error: ');
  });
});

/** Gives each connection to the next of several servers, as some poolers and load balancers do. */
class Balancer implements AsyncDisposable {
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer();
  #next = 0;

  static async start(ports: readonly number[]): Promise<Balancer> {
    const balancer = new Balancer();
    balancer.#server.on('connection', (near) => {
      const far = connect(ports[balancer.#next++ % ports.length] ?? 0, '127.0.0.1');
      for (const [socket, other] of [
        [near, far],
        [far, near],
      ] as const) {
        balancer.#sockets.add(socket);
        socket.on('error', () => other.destroy());
        socket.on('data', (data) => other.write(data));
        socket.on('close', () => other.destroy());
      }
    });
    balancer.#server.listen(0, '127.0.0.1');
    await once(balancer.#server, 'listening');
    return balancer;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}
