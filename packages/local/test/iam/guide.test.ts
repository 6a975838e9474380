import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AwsCommandLine, type AwsAccessKey } from '../../../../test/support/aws-command-line.ts';
import { hasClient } from '../../../../test/support/clients.ts';
import { attachPolicy, CREATE_ROLE, createPolicy } from '../../../../test/support/guide-commands.ts';
import { ADMINISTRATOR, RDS_SERVICE, REGION, startIamServer, type IamServer } from './iam-server.ts';

const CREATE_POLICY = createPolicy('your-s3-bucket');

describe.skipIf(!hasClient('aws'))('the aws commands of the guide (need `aws` on the PATH)', () => {
  let server: IamServer;
  let commandLine: AwsCommandLine;

  beforeAll(async () => {
    server = await startIamServer();
    commandLine = await AwsCommandLine.at({ endpoint: server.endpoint, region: REGION }, ADMINISTRATOR);
  });

  afterAll(async () => {
    await server?.stop();
    await commandLine?.[Symbol.asyncDispose]();
  });

  async function shell(command: string, as?: AwsAccessKey): Promise<unknown> {
    const printed = await commandLine.type(command, as);
    return printed.startsWith('{') ? JSON.parse(printed) : printed;
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
    const attach = attachPolicy('arn:aws:iam::000000000000:policy/rds-s3-export-policy');
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
