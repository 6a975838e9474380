import { chmod } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import {
  AbortMultipartUploadCommand,
  CreateBucketCommand,
  DeleteObjectCommand,
  ListMultipartUploadsCommand,
} from '@aws-sdk/client-s3';
import type pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { allow, AwsAccount, TRUST_RDS } from '../support/aws-account.ts';
import { Doctor, type Diagnosis } from '../support/doctor.ts';
import { BUCKET, TestStack } from '../support/test-stack.ts';

const ROLE = 'doctor-export-role';
const ROLE_ARN = `arn:aws:iam::000000000000:role/${ROLE}`;
const TARGET = `s3://${BUCKET}/exports/`;
const OBJECTS = [`arn:aws:s3:::${BUCKET}/*`];
const EVERYTHING = allow(['s3:*'], ['*']);
const S3_SIDE = ['put', 'multipart', 'abort'];
const ALL_CHECKS = [
  'configuration',
  'agent',
  'database',
  'extension',
  'reach',
  'base credentials',
  'role',
  'assume',
  'region',
  ...S3_SIDE,
];

let testStack: TestStack;
let superuser: pg.Client;
let account: AwsAccount;
let doctor: Doctor;

beforeAll(async () => {
  testStack = await TestStack.start({ withRole: false });
  superuser = await testStack.connect();
  account = new AwsAccount(testStack.stack);
  await account.createRole(ROLE);
  await account.addRole(ROLE_ARN);
  doctor = await Doctor.of(testStack.stack);
});
afterAll(async () => {
  await doctor?.[Symbol.asyncDispose]();
  account?.close();
  await testStack?.stop();
});
beforeEach(() => account.putPolicy(ROLE, EVERYTHING));
afterEach(async () => {
  expect(await testStack.keys('')).toEqual([]);
  await testStack.expectNothingLeft(superuser);
});

/** A free port of this host, on which nobody listens. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

function urlOf(change: (url: URL) => void): string {
  const url = new URL(testStack.stack.postgres.url);
  change(url);
  return url.href;
}

/** Expects that exactly this check failed, and that those which need it were skipped and say so. */
function expectBroken({ exitStatus, checks, failed }: Diagnosis, name: string, ...skipped: string[]): void {
  expect(failed).toEqual([name]);
  expect(exitStatus).toBe(1);
  const untried = [...checks.values()].filter(({ status }) => status === 'skipped');
  expect(untried.map((check) => check.name)).toEqual(skipped);
  for (const check of untried) expect(check.found).toBe(`needs "${name}", which failed`);
}

describe('a set-up that is well', () => {
  it('passes every check, and nothing is left', async () => {
    const { exitStatus, checks } = await doctor.diagnose({ target: TARGET });
    expect([...checks.keys()]).toEqual(ALL_CHECKS);
    expect(Object.fromEntries([...checks].map(([name, { status }]) => [name, status]))).toEqual(
      Object.fromEntries(ALL_CHECKS.map((name) => [name, 'ok'])),
    );
    expect(exitStatus).toBe(0);
    expect(checks.get('role')?.found).toContain(ROLE_ARN);
    expect(checks.get('base credentials')?.found).toContain('rds.amazonaws.com');
  });

  it("says which object is left, where the role may do no more than the guide's", async () => {
    await account.putPolicy(ROLE, allow(['s3:PutObject', 's3:AbortMultipartUpload'], OBJECTS));
    const { exitStatus, checks } = await doctor.diagnose({ target: TARGET });
    expect(exitStatus).toBe(0);
    const [left] = await testStack.keys('exports/sluice-doctor-');
    expect(checks.get('put')).toMatchObject({
      status: 'ok',
      found: expect.stringMatching(
        `s3://${BUCKET}/${left} was stored, and is left.*s3:DeleteObject`,
      ) as unknown,
    });
    await testStack.s3.send(new DeleteObjectCommand({ Bucket: BUCKET, Key: left }));
  });

  it('needs no role where [s3] has a key', async () => {
    const { accessKeyId, secretAccessKey } = testStack.stack.aws;
    const { exitStatus, checks } = await doctor.diagnose({
      target: TARGET,
      config: { s3: { access_key_id: accessKeyId, secret_access_key: secretAccessKey } },
    });
    expect(exitStatus).toBe(0);
    expect(checks.get('role')).toMatchObject({ status: 'skipped', found: 'not needed: [s3] has a key' });
    expect(checks.get('abort')?.status).toBe('ok');
  });

  it('is told in aligned lines', async () => {
    const { status, stdout } = await doctor.run({ target: TARGET });
    expect(status).toBe(0);
    expect(stdout).toMatch(/^ok {7}agent {13}version /m);
    expect(stdout).toMatch(/\n12 ok\n$/);
    expect(stdout).not.toContain('\u001b');
  });
});

describe('a broken set-up', () => {
  const afterConfiguration = ALL_CHECKS.filter((name) => !['configuration', 'database'].includes(name));

  it('a value of sluice.toml that cannot be used', async () => {
    const diagnosis = await doctor.diagnose({ target: TARGET, config: { export: { part_size: '1MiB' } } });
    expectBroken(diagnosis, 'configuration', ...afterConfiguration);
    expect(diagnosis.checks.get('configuration')?.found).toContain('export.part_size');
  });

  it('the agent does not run', async () => {
    const directory = join(testStack.directory, 'nobody');
    const diagnosis = await doctor.diagnose({ config: { agent: { socket_directory: directory } } });
    expect(diagnosis.failed).toEqual(['agent', 'extension']);
    expect(diagnosis.checks.get('agent')).toMatchObject({
      found: `the agent is not running: there is no socket ${directory}/.s.PGSQL.5432`,
      mend: expect.stringContaining('sluice agent --config') as unknown,
    });
  });

  it('the agent is that of another cluster', async () => {
    const diagnosis = await doctor.diagnose({ target: TARGET, config: { cluster: { identifier: 'other' } } });
    expectBroken(diagnosis, 'agent', 'reach');
    expect(diagnosis.checks.get('agent')?.found).toContain('serves the cluster "my-db-cluster", not "other"');
  });

  it('the database is unreachable', async () => {
    const port = await closedPort();
    const database = urlOf((url) => (url.port = String(port)));
    const diagnosis = await doctor.diagnose({ target: TARGET, database });
    expectBroken(diagnosis, 'database', 'extension', 'reach');
    expect(diagnosis.checks.get('database')?.found).toContain(`ECONNREFUSED 127.0.0.1:${port}`);
  });

  it('the password of the database is wrong', async () => {
    const database = urlOf((url) => (url.password = 'not-this-one'));
    const diagnosis = await doctor.diagnose({ target: TARGET, database });
    expectBroken(diagnosis, 'database', 'extension', 'reach');
    expect(diagnosis.checks.get('database')?.found).toContain('password authentication failed');
    expect(JSON.stringify([...diagnosis.checks.values()])).not.toContain('not-this-one');
  });

  it('the extension is not in the database', async () => {
    await superuser.query('CREATE DATABASE without_extension');
    const database = urlOf((url) => (url.pathname = '/without_extension'));
    const diagnosis = await doctor.diagnose({ target: TARGET, database });
    expectBroken(diagnosis, 'extension', 'reach');
    expect(diagnosis.checks.get('extension')).toMatchObject({
      found: 'the extension aws_commons is not in the database "without_extension"',
      mend: expect.stringContaining('CREATE EXTENSION IF NOT EXISTS aws_s3 CASCADE;') as unknown,
    });
    await superuser.query('DROP DATABASE without_extension');
  });

  it('the extension looks for the agent elsewhere', async () => {
    const { socketDirectory } = testStack.stack.agent;
    await superuser.query(`ALTER SERVER sluice_agent OPTIONS (SET host '/run/elsewhere')`);
    const diagnosis = await doctor.diagnose({ target: TARGET });
    await superuser.query(`ALTER SERVER sluice_agent OPTIONS (SET host '${socketDirectory}')`);
    expectBroken(diagnosis, 'extension', 'reach');
    expect(diagnosis.checks.get('extension')).toMatchObject({
      found: expect.stringContaining('"/run/elsewhere"') as unknown,
      mend: expect.stringContaining(
        `ALTER SERVER sluice_agent OPTIONS (SET host '${socketDirectory}');`,
      ) as unknown,
    });
  });

  it("PostgreSQL's user may not enter the folder of the pipes", async () => {
    const pipes = join(testStack.stack.agent.socketDirectory, 'pipes');
    await chmod(pipes, 0o000);
    const diagnosis = await doctor.diagnose({ target: TARGET });
    await chmod(pipes, 0o700);
    expectBroken(diagnosis, 'reach');
    expect(diagnosis.checks.get('reach')).toMatchObject({
      found: expect.stringMatching(`${pipes}.*Permission denied`) as unknown,
      mend: expect.stringContaining('agent.postgres_os_user') as unknown,
    });
  });

  it('STS does not know the base credentials', async () => {
    const diagnosis = await doctor.diagnose({
      target: TARGET,
      config: { aws: { access_key_id: 'AKIAUNKNOWNUNKNOWN12' } },
    });
    expectBroken(diagnosis, 'base credentials', 'assume', 'region', ...S3_SIDE);
    expect(diagnosis.checks.get('base credentials')).toMatchObject({
      found: expect.stringMatching(/InvalidClientTokenId.*AKIAUNKNOWNUNKNOWN12/) as unknown,
      mend: expect.stringContaining('access_key_id and secret_access_key under [aws]') as unknown,
    });
  });

  it('there are no base credentials', async () => {
    const diagnosis = await doctor.diagnose({
      target: TARGET,
      config: { aws: { access_key_id: undefined, secret_access_key: undefined } },
    });
    expectBroken(diagnosis, 'base credentials', 'assume', 'region', ...S3_SIDE);
    expect(diagnosis.checks.get('base credentials')?.found).toContain('no AWS credentials of its own');
  });

  it('STS is unreachable', async () => {
    const endpoint = `http://127.0.0.1:${await closedPort()}`;
    const diagnosis = await doctor.diagnose({ target: TARGET, config: { aws: { sts_endpoint: endpoint } } });
    expectBroken(diagnosis, 'base credentials', 'assume', 'region', ...S3_SIDE);
    expect(diagnosis.checks.get('base credentials')?.mend).toContain(endpoint);
  });

  it('no role is associated', async () => {
    await account.removeRole(ROLE_ARN);
    const diagnosis = await doctor.diagnose({ target: TARGET });
    await account.addRole(ROLE_ARN);
    expectBroken(diagnosis, 'role', 'assume', 'region', ...S3_SIDE);
    expect(diagnosis.checks.get('role')).toMatchObject({
      found: expect.stringContaining('no role is associated with the cluster "my-db-cluster"') as unknown,
      mend: expect.stringMatching(/s3Export.*sluice role add/) as unknown,
    });
  });

  it('the role trusts somebody else', async () => {
    await account.setTrust(ROLE, {
      ...TRUST_RDS,
      Statement: [{ ...TRUST_RDS.Statement[0], Principal: { Service: 'ec2.amazonaws.com' } }],
    });
    const diagnosis = await doctor.diagnose({ target: TARGET });
    await account.setTrust(ROLE, TRUST_RDS);
    expectBroken(diagnosis, 'assume', 'region', ...S3_SIDE);
    expect(diagnosis.checks.get('assume')).toMatchObject({
      found: expect.stringMatching(`${ROLE_ARN} could not be assumed.*AccessDenied`) as unknown,
      mend: expect.stringContaining(
        'Its trust policy must allow sts:AssumeRole to rds.amazonaws.com',
      ) as unknown,
    });
  });

  it('the role may not put objects', async () => {
    await account.putPolicy(ROLE, allow(['s3:ListBucket'], ['*']));
    const { failed, exitStatus, checks } = await doctor.diagnose({ target: TARGET });
    expect(failed).toEqual(['put', 'multipart']);
    expect(exitStatus).toBe(1);
    expect(checks.get('put')?.mend).toMatch(
      `The role ${ROLE_ARN} needs s3:PutObject on arn:aws:s3:::${BUCKET}/exports/sluice-doctor-`,
    );
    expect(checks.get('abort')?.found).toBe('needs "multipart", which failed');
  });

  it('there is no such bucket', async () => {
    const diagnosis = await doctor.diagnose({ target: 's3://no-such-bucket/exports/' });
    expectBroken(diagnosis, 'region', ...S3_SIDE);
    expect(diagnosis.checks.get('region')).toMatchObject({
      found: 'there is no bucket "no-such-bucket"',
      mend: expect.stringContaining('create it, or correct its name, the region argument or') as unknown,
    });
  });

  it('the bucket is in another Region, until that is named', async () => {
    await testStack.s3.send(
      new CreateBucketCommand({
        Bucket: 'frankfurt',
        CreateBucketConfiguration: { LocationConstraint: 'eu-central-1' },
      }),
    );
    const diagnosis = await doctor.diagnose({ target: 's3://frankfurt' });
    expectBroken(diagnosis, 'region', ...S3_SIDE);
    expect(diagnosis.checks.get('region')).toMatchObject({
      found: '"frankfurt" is in eu-central-1, and exports would go to us-west-2',
      mend: expect.stringContaining("give 'eu-central-1' as the region argument") as unknown,
    });
    const mended = await doctor.diagnose({ target: 's3://frankfurt', args: ['--region', 'eu-central-1'] });
    expect(mended.exitStatus).toBe(0);
    expect(mended.checks.get('abort')?.status).toBe('ok');
  });

  it('the role may not abort: a warning that names the upload which is left', async () => {
    await account.putPolicy(ROLE, allow(['s3:PutObject', 's3:DeleteObject'], OBJECTS));
    const { exitStatus, checks } = await doctor.diagnose({ target: TARGET });
    const { Uploads = [] } = await testStack.s3.send(new ListMultipartUploadsCommand({ Bucket: BUCKET }));
    for (const { Key, UploadId } of Uploads)
      await testStack.s3.send(new AbortMultipartUploadCommand({ Bucket: BUCKET, Key, UploadId }));
    expect(exitStatus).toBe(0);
    expect(Uploads).toHaveLength(1);
    expect(checks.get('abort')).toMatchObject({
      status: 'warning',
      found: expect.stringContaining(
        `the upload ${Uploads[0]?.UploadId} of s3://${BUCKET}/${Uploads[0]?.Key} is left`,
      ) as unknown,
      mend: expect.stringContaining(`The role ${ROLE_ARN} needs s3:AbortMultipartUpload`) as unknown,
    });
  });

  it('S3 is unreachable', async () => {
    const endpoint = `http://127.0.0.1:${await closedPort()}`;
    const diagnosis = await doctor.diagnose({ target: TARGET, config: { s3: { endpoint } } });
    expectBroken(diagnosis, 'region', ...S3_SIDE);
    expect(diagnosis.checks.get('region')).toMatchObject({
      found: `no answer from ${endpoint} (refused)`,
      mend: expect.stringContaining(`Nothing accepts connections at ${endpoint}`) as unknown,
    });
  });

  it("this host's clock is an hour late", async () => {
    const { accessKeyId, secretAccessKey } = testStack.stack.aws;
    const lateDate = `globalThis.Date = class extends Date {
      constructor(...time) { time.length === 0 ? super(Date.now()) : super(...time); }
      static now() { return super.now() - 3600000; }
    };`;
    const diagnosis = await doctor.diagnose({
      target: TARGET,
      // With the keys of [s3], so that STS is not used: the SDK's client of STS would correct the clock by itself.
      config: { s3: { access_key_id: accessKeyId, secret_access_key: secretAccessKey } },
      env: { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(lateDate)}` },
    });
    expect(diagnosis.failed).toEqual([]);
    expect(diagnosis.checks.get('put')).toMatchObject({
      status: 'warning',
      found: expect.stringMatching(/this host's clock is 60 minutes behind Amazon S3's$/) as unknown,
      mend: expect.stringContaining('Set the clock') as unknown,
    });
  });
});

describe('a doctor who may or can not do everything', () => {
  it('does not try as a plain role what needs a superuser', async () => {
    const { name, password } = await testStack.createRole(superuser, { mayExport: true });
    const database = urlOf((url) => Object.assign(url, { username: name, password }));
    const { exitStatus, checks } = await doctor.diagnose({ database });
    expect(exitStatus).toBe(0);
    expect(checks.get('extension')?.status).toBe('ok');
    expect(checks.get('reach')).toMatchObject({
      status: 'skipped',
      found: expect.stringContaining(name) as unknown,
    });
    expect(checks.get('put')?.found).toBe('no bucket named: give s3://bucket/prefix');
  });

  it('lets no name from outside steer the terminal', async () => {
    const { socketDirectory } = testStack.stack.agent;
    await superuser.query(
      `ALTER SERVER sluice_agent OPTIONS (SET host E'/tmp/\\u001b[2J\\u009b1m\\u202e\\nok       put')`,
    );
    const call = { target: TARGET };
    const { stdout } = await doctor.run(call);
    const { stdout: json } = await doctor.run({ ...call, args: ['--json'] });
    await superuser.query(`ALTER SERVER sluice_agent OPTIONS (SET host '${socketDirectory}')`);
    expect(stdout).toContain('/tmp/\\u001b[2J');
    for (const output of [stdout, json]) expect(output).not.toMatch(/(?!\n)\p{Cc}|\p{Cf}/u);
    expect(stdout.match(/^ok {7}put/gm)).toHaveLength(1);
  });

  it.each([
    ['no S3 URI', ['sample-bucket/exports']],
    ['no bucket name', ['s3://Sample_Bucket/exports']],
    ['no Region', ['--region', 'us west']],
    ['no option', ['--bogus']],
    ['no database URL', ['--database', 'mysql://host/db']],
  ])('takes a wrong command line for one: %s', async (_what, args) => {
    const { status, stdout, stderr } = await doctor.run({ args });
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain('error: ');
  });
});
