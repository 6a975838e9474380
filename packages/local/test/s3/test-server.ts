import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { startAwsServer, type AwsServerOptions, type RunningAwsServer } from '../../src/aws/server.ts';

export const ACCESS_KEY_ID = 'AKIDLOCALTEST0000001';
export const SECRET_ACCESS_KEY = 'a secret+/of the tests';
export const REGION = 'eu-central-1';

/** Temporary credentials that the server knows, too. */
export const SESSION = {
  accessKeyId: 'ASIALOCALTEST0000001',
  secretAccessKey: 'another secret',
  sessionToken: 'a/session+token==',
};

export interface TestServer {
  readonly endpoint: string;
  readonly port: number;
  readonly directory: string;
  client(config?: S3ClientConfig): S3Client;
  /** Stops the server and starts another on the same state. */
  restart(): Promise<void>;
  /** Stops it and removes its state. Rejects when the server had internal errors: then the test has found a bug. */
  stop(): Promise<void>;
}

/** A server on a free port with its own directory. */
export async function startTestServer(options: Partial<AwsServerOptions> = {}): Promise<TestServer> {
  const directory = await mkdtemp(path.join(tmpdir(), 'sluice-s3-test-'));
  const internalErrors: unknown[] = [];
  const clients: S3Client[] = [];
  const start = (): Promise<RunningAwsServer> =>
    startAwsServer({
      port: 0,
      directory,
      region: REGION,
      credentials: (accessKeyId) => {
        if (accessKeyId === ACCESS_KEY_ID) return { secretAccessKey: SECRET_ACCESS_KEY };
        return accessKeyId === SESSION.accessKeyId ? SESSION : undefined;
      },
      log: ({ errorCode, error }) => {
        if (errorCode === 'InternalError') internalErrors.push(error);
      },
      ...options,
    });
  let server = await start();
  return {
    get endpoint() {
      return server.endpoint;
    },
    get port() {
      return server.port;
    },
    directory,
    client(config = {}) {
      const client = new S3Client({
        endpoint: server.endpoint,
        region: REGION,
        forcePathStyle: true,
        credentials: { accessKeyId: ACCESS_KEY_ID, secretAccessKey: SECRET_ACCESS_KEY },
        ...config,
      });
      clients.push(client);
      return client;
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
