import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { IAMClient } from '@aws-sdk/client-iam';
import { S3Client } from '@aws-sdk/client-s3';
import { AssumeRoleCommand, STSClient, type AssumeRoleCommandInput } from '@aws-sdk/client-sts';
import { startAwsServer, type AwsServerOptions, type RunningAwsServer } from '../../src/aws/server.ts';

const ACCOUNT = '000000000000';
export const REGION = 'eu-central-1';
export const ADMINISTRATOR = { accessKeyId: 'AKIALOCALADMIN000001', secretAccessKey: 'an admin/s secret+' };
export const RDS_SERVICE = { accessKeyId: 'AKIALOCALSERVICE0001', secretAccessKey: 'a service secret' };
export const CLUSTER_ARN = `arn:aws:rds:${REGION}:${ACCOUNT}:cluster:my-db-cluster`;

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** The credentials of a client. @default the administrator's */
type As = Credentials | undefined;

export interface IamServer {
  readonly endpoint: string;
  readonly port: number;
  iam(as?: As): IAMClient;
  sts(as?: As): STSClient;
  s3(as?: As): S3Client;
  /** Assumes a role, as the service rds.amazonaws.com by default, and gives the session's credentials. */
  assume(roleName: string, input?: Partial<AssumeRoleCommandInput>, as?: As): Promise<Credentials>;
  /** Stops the server and starts another on the same state. */
  restart(): Promise<void>;
  /** Stops it and removes its state. Rejects when the server had internal errors: then the test has found a bug. */
  stop(): Promise<void>;
}

/** A local AWS with an administrator and a key of rds.amazonaws.com. Sessions may be as short as one second. */
export async function startIamServer(options: Partial<AwsServerOptions> = {}): Promise<IamServer> {
  const directory = await mkdtemp(path.join(tmpdir(), 'sluice-iam-test-'));
  const internalErrors: unknown[] = [];
  const clients: { destroy(): void }[] = [];
  const start = (): Promise<RunningAwsServer> =>
    startAwsServer({
      port: 0,
      directory,
      region: REGION,
      administrator: ADMINISTRATOR,
      services: { 'rds.amazonaws.com': { ...RDS_SERVICE, sourceArn: CLUSTER_ARN } },
      minSessionSeconds: 1,
      log: ({ errorCode, error }) => {
        if (errorCode?.startsWith('Internal') === true) internalErrors.push(error);
      },
      ...options,
    });
  let server = await start();
  const keep = <Client extends { destroy(): void }>(client: Client): Client => {
    clients.push(client);
    return client;
  };
  const config = (credentials: As = ADMINISTRATOR) => ({
    endpoint: server.endpoint,
    region: REGION,
    credentials,
    maxAttempts: 1,
  });
  const sts = (as?: As) => keep(new STSClient(config(as)));
  return {
    get endpoint() {
      return server.endpoint;
    },
    get port() {
      return server.port;
    },
    iam: (as) => keep(new IAMClient(config(as))),
    sts,
    s3: (as) => keep(new S3Client({ ...config(as), forcePathStyle: true })),
    async assume(roleName, input = {}, as = RDS_SERVICE) {
      const { Credentials: given } = await sts(as).send(
        new AssumeRoleCommand({ RoleArn: roleArn(roleName), RoleSessionName: 'session', ...input }),
      );
      return {
        accessKeyId: given?.AccessKeyId ?? '',
        secretAccessKey: given?.SecretAccessKey ?? '',
        sessionToken: given?.SessionToken ?? '',
      };
    },
    async restart() {
      await server.stop();
      server = await start();
    },
    async stop() {
      for (const client of clients) client.destroy();
      await server.stop();
      await rm(directory, { recursive: true, force: true });
      if (internalErrors.length > 0)
        throw new AggregateError(internalErrors, 'the server had internal errors');
    },
  };
}

export function roleArn(name: string): string {
  return `arn:aws:iam::${ACCOUNT}:role/${name}`;
}

export function policyArn(name: string): string {
  return `arn:aws:iam::${ACCOUNT}:policy/${name}`;
}

export function userArn(name: string): string {
  return `arn:aws:iam::${ACCOUNT}:user/${name}`;
}

/** The text of a policy. */
export function policy(...statements: object[]): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: statements });
}

export function allow(action: string | string[], resource: string | string[], extra: object = {}): object {
  return { Effect: 'Allow', Action: action, Resource: resource, ...extra };
}

/** A trust policy. */
export function trust(principal: unknown, extra: object = {}): string {
  return policy({ Effect: 'Allow', Principal: principal, Action: 'sts:AssumeRole', ...extra });
}

export const TRUST_RDS = trust({ Service: 'rds.amazonaws.com' });
