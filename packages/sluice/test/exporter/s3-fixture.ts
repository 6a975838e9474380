import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  CreateBucketCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterEach, beforeEach } from 'vitest';
import type { AwsRequestLog } from '../../../local/src/aws/endpoint.ts';
import type { AuthorizationRequest } from '../../../local/src/aws/identity.ts';
import { startAwsServer } from '../../../local/src/aws/server.ts';
import type { ExportRequest, ExportResult } from '../../src/exporter/export-request.ts';
import { exportToS3 } from '../../src/exporter/export-to-s3.ts';
import { MIB } from '../../src/exporter/part-size.ts';
import { S3Connection, type S3ConnectionOptions } from '../../src/s3/connection.ts';

export const REGION = 'eu-central-1';
export const BUCKET = 'exports';
const CREDENTIALS = { accessKeyId: 'AKIAEXPORTER', secretAccessKey: 'secret/of+the=exporter' };

/** A local S3 with an empty bucket, and helpers for tests. */
export interface S3Fixture {
  readonly endpoint: string;
  /** The operations that were requested, in the order in which they ended. */
  readonly requests: readonly AwsRequestLog[];
  /** Actions that are denied from now on, e.g. `s3:AbortMultipartUpload`. */
  readonly denied: Set<string>;
  /** Opens a connection, which is closed together with the fixture. */
  connect(options?: Partial<S3ConnectionOptions>): S3Connection;
  read(key: string): Promise<Buffer>;
  head(key: string): Promise<{
    contentType: string | undefined;
    contentEncoding: string | undefined;
    bytes: number | undefined;
    encryption: string | undefined;
    kmsKeyId: string | undefined;
  }>;
  listKeys(): Promise<string[]>;
  /** The keys of the multipart uploads that are open. */
  listOpenUploads(): Promise<string[]>;
  operations(): string[];
  close(): Promise<void>;
}

/** Gives each test of a file a fixture of its own, and sees to it that no multipart upload is left open. */
export function s3ForEachTest(use: (s3: S3Fixture) => void): void {
  let s3: S3Fixture;
  beforeEach(async () => {
    s3 = await startS3Fixture();
    use(s3);
  });
  afterEach(async () => {
    const open = await s3.listOpenUploads();
    await s3.close();
    assert.deepEqual(open, [], 'no multipart upload is left open');
  });
}

/** Exports text to the key `rows` of the fixture, unless the request says otherwise. */
export function exportRows(
  s3: S3Fixture,
  request: Partial<ExportRequest> & Pick<ExportRequest, 'source'>,
): Promise<ExportResult> {
  return exportToS3({
    connection: s3.connect(),
    bucket: BUCKET,
    key: 'rows',
    rowFormat: { format: 'text', header: false },
    partSizeBytes: 5 * MIB,
    ...request,
  });
}

export async function startS3Fixture(): Promise<S3Fixture> {
  const directory = await mkdtemp(path.join(tmpdir(), 'sluice-exporter-'));
  const requests: AwsRequestLog[] = [];
  const denied = new Set<string>();
  const server = await startAwsServer({
    port: 0,
    directory,
    region: REGION,
    credentials: (accessKeyId) =>
      accessKeyId === CREDENTIALS.accessKeyId ? { secretAccessKey: CREDENTIALS.secretAccessKey } : undefined,
    authorize: ({ action }: AuthorizationRequest) => ({ allowed: !denied.has(action) }),
    log: (request) => requests.push(request),
  });
  const client = new S3Client({
    endpoint: server.endpoint,
    region: REGION,
    credentials: CREDENTIALS,
    forcePathStyle: true,
  });
  await client.send(
    new CreateBucketCommand({ Bucket: BUCKET, CreateBucketConfiguration: { LocationConstraint: REGION } }),
  );
  requests.length = 0;
  const connections: S3Connection[] = [];
  return {
    endpoint: server.endpoint,
    requests,
    denied,
    connect(options = {}) {
      const connection = new S3Connection({
        endpoint: server.endpoint,
        region: REGION,
        credentials: () => Promise.resolve(CREDENTIALS),
        ...options,
      });
      connections.push(connection);
      return connection;
    },
    async read(key) {
      const { Body } = await client.send(new GetObjectCommand({ Bucket: BUCKET, Key: key }));
      return Buffer.from((await Body?.transformToByteArray()) ?? []);
    },
    async head(key) {
      const output = await client.send(new HeadObjectCommand({ Bucket: BUCKET, Key: key }));
      return {
        contentType: output.ContentType,
        contentEncoding: output.ContentEncoding,
        bytes: output.ContentLength,
        encryption: output.ServerSideEncryption,
        kmsKeyId: output.SSEKMSKeyId,
      };
    },
    async listKeys() {
      const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: BUCKET }));
      return Contents.map(({ Key = '' }) => Key);
    },
    async listOpenUploads() {
      const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: BUCKET }));
      return Uploads.map(({ Key = '' }) => Key);
    },
    operations: () => requests.flatMap(({ operation }) => (operation === undefined ? [] : [operation])),
    async close() {
      await Promise.all(connections.map((connection) => connection.close()));
      client.destroy();
      await server.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
