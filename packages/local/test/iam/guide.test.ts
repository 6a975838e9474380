import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ADMINISTRATOR, RDS_SERVICE, REGION, startIamServer, type IamServer } from './iam-server.ts';

const run = promisify(execFile);
const hasAws = spawnSync('aws', ['--version']).status === 0;
// Where clients are promised to be there, a missing one is a failure and no reason to skip.
const skip = !hasAws && process.env['SLUICE_REQUIRE_CLIENTS'] !== '1';

/** As the guide has them, but for the placeholders. */
const CREATE_POLICY = `aws iam create-policy  --policy-name rds-s3-export-policy  --policy-document '{
        "Version": "2012-10-17",
        "Statement": [
          {
            "Sid": "s3export",
            "Action": [
              "S3:PutObject"
            ],
            "Effect": "Allow",
            "Resource": [
              "arn:aws:s3:::your-s3-bucket/*"
            ] 
          }
        ] 
      }'`;
const CREATE_ROLE = `aws iam create-role  --role-name rds-s3-export-role  --assume-role-policy-document '{
        "Version": "2012-10-17",
        "Statement": [
          {
            "Effect": "Allow",
            "Principal": {
               "Service": "rds.amazonaws.com"
             },
            "Action": "sts:AssumeRole"
          }
        ] 
      }'`;
const ATTACH = 'aws iam attach-role-policy  --policy-arn your-policy-arn  --role-name rds-s3-export-role';

describe.skipIf(skip)('the aws commands of the guide (need `aws` on the PATH)', () => {
  let server: IamServer;
  let home: string;

  beforeAll(async () => {
    if (!hasAws) throw new Error('aws is not on the PATH');
    server = await startIamServer();
    home = await mkdtemp(path.join(tmpdir(), 'sluice-guide-'));
  });

  afterAll(async () => {
    await server.stop();
    await rm(home, { recursive: true, force: true });
  });

  async function shell(
    command: string,
    as: { accessKeyId: string; secretAccessKey: string; sessionToken?: string } = ADMINISTRATOR,
  ) {
    const { stdout } = await run('sh', ['-c', command], {
      env: {
        PATH: process.env['PATH'],
        HOME: home,
        AWS_ACCESS_KEY_ID: as.accessKeyId,
        AWS_SECRET_ACCESS_KEY: as.secretAccessKey,
        ...(as.sessionToken !== undefined && { AWS_SESSION_TOKEN: as.sessionToken }),
        AWS_DEFAULT_REGION: REGION,
        AWS_ENDPOINT_URL: server.endpoint,
        AWS_CONFIG_FILE: '/dev/null',
        AWS_PAGER: '',
        AWS_DEFAULT_OUTPUT: 'json',
      },
    });
    const answer: unknown = stdout.startsWith('{') ? JSON.parse(stdout) : stdout;
    return answer;
  }

  it('give a role that the database may assume, and that may write to the bucket and nothing else', async () => {
    const policy = await shell(CREATE_POLICY);
    expect(policy).toMatchObject({
      Policy: { Arn: 'arn:aws:iam::000000000000:policy/rds-s3-export-policy', DefaultVersionId: 'v1' },
    });
    const role = await shell(CREATE_ROLE);
    expect(role).toMatchObject({
      Role: {
        Arn: 'arn:aws:iam::000000000000:role/rds-s3-export-role',
        AssumeRolePolicyDocument: { Statement: [{ Principal: { Service: 'rds.amazonaws.com' } }] },
      },
    });
    const attach = ATTACH.replace('your-policy-arn', 'arn:aws:iam::000000000000:policy/rds-s3-export-policy');
    expect(await shell(attach)).toBe('');

    await shell('aws s3 mb s3://your-s3-bucket');
    await shell('aws s3 mb s3://another-bucket');
    const assumed = await shell(
      'aws sts assume-role --role-arn arn:aws:iam::000000000000:role/rds-s3-export-role --role-session-name export',
      RDS_SERVICE,
    );
    const { Credentials } = Object(assumed);
    const session = {
      accessKeyId: String(Credentials.AccessKeyId),
      secretAccessKey: String(Credentials.SecretAccessKey),
      sessionToken: String(Credentials.SessionToken),
    };
    expect(await shell('aws sts get-caller-identity', session)).toMatchObject({
      Account: '000000000000',
      Arn: 'arn:aws:sts::000000000000:assumed-role/rds-s3-export-role/export',
    });
    await shell('echo 1 | aws s3 cp - s3://your-s3-bucket/sample-filepath', session);
    for (const denied of [
      'cp - s3://another-bucket/k',
      'rm s3://your-s3-bucket/sample-filepath',
      'ls s3://your-s3-bucket',
    ]) {
      await expect(shell(`echo 1 | aws s3 ${denied}`, session)).rejects.toMatchObject({
        stderr: expect.stringContaining('AccessDenied'),
      });
    }
  });

  it('answer twice as IAM does', async () => {
    await expect(shell(CREATE_POLICY)).rejects.toMatchObject({
      stderr: expect.stringContaining(
        'An error occurred (EntityAlreadyExists) when calling the CreatePolicy operation: A policy called rds-s3-export-policy already exists. Duplicate names are not allowed.',
      ),
    });
    await expect(shell(CREATE_ROLE)).rejects.toMatchObject({
      stderr: expect.stringContaining(
        'An error occurred (EntityAlreadyExists) when calling the CreateRole operation: Role with name rds-s3-export-role already exists.',
      ),
    });
  });
});
