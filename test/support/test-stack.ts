import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  AbortMultipartUploadCommand,
  CreateBucketCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  S3Client,
} from '@aws-sdk/client-s3';
import { startLocal, type LocalOptions, type LocalStack, type PostgresMajor } from '@sluice/local';
import type pg from 'pg';
import { S3Connection, SourceClient } from '../../packages/sluice/src/index.ts';
import { AwsAccount } from './aws-account.ts';
import { changedConfig, type ConfigChanges } from './changed-config.ts';

/** The result row of an export, with bigint columns as numbers. */
export interface ExportRow {
  rows: number;
  files: number;
  bytes: number;
}

/** The version that the acceptance tests run on; npm run test:matrix runs them on each. */
export const POSTGRES_MAJOR = postgresMajor(process.env['SLUICE_PG_VERSION'] ?? '18');

export const BUCKET = 'sample-bucket';

/** How long the background clean-up may take, e.g. an abort that S3 answers late. */
const SETTLE_TIMEOUT_MS = 10_000;

/** A local stack with a bucket, and helpers for tests. */
export class TestStack implements AsyncDisposable {
  readonly stack: LocalStack;
  readonly s3: S3Client;
  /** The connection to S3 of exports from outside. */
  readonly s3Connection: S3Connection;
  /** A folder that PostgreSQL may write to, for the output of COPY. */
  readonly directory: string;
  readonly #clients = new Set<pg.Client>();

  private constructor(stack: LocalStack, directory: string) {
    const { endpoint, region, accessKeyId, secretAccessKey } = stack.aws;
    this.stack = stack;
    this.directory = directory;
    this.s3 = new S3Client({
      endpoint,
      region,
      forcePathStyle: true,
      credentials: { accessKeyId, secretAccessKey },
    });
    this.s3Connection = new S3Connection({
      endpoint,
      region,
      credentials: () => Promise.resolve({ accessKeyId, secretAccessKey }),
    });
  }

  /** @param options.withRole whether a role with all permissions is associated for s3Export. @default true */
  static async start({
    withRole = true,
    ...options
  }: LocalOptions & { withRole?: boolean } = {}): Promise<TestStack> {
    const stack = await startLocal({ pgVersion: POSTGRES_MAJOR, ...options });
    if (withRole) {
      const account = new AwsAccount(stack);
      await account.associateExportRole();
      account.close();
    }
    const directory = await mkdtemp(join(tmpdir(), 'sluice-oracle-'));
    await chmod(directory, 0o777);
    const testStack = new TestStack(stack, directory);
    await testStack.s3.send(new CreateBucketCommand({ Bucket: BUCKET }));
    return testStack;
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#clients].map((client) => client.end().catch(() => undefined)));
    this.s3.destroy();
    await this.s3Connection.close();
    await this.stack.stop();
    await rm(this.directory, { recursive: true, force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** A new session, by default of the superuser. */
  async connect(user?: { name: string; password: string }, database?: string): Promise<SourceClient> {
    const url = new URL(this.stack.postgres.url);
    if (database !== undefined) url.pathname = `/${database}`;
    if (user !== undefined) {
      url.username = user.name;
      url.password = user.password;
    }
    // A session that a test ends on purpose does not end the test run, as one of pg's own clients would.
    const client = new SourceClient({ connectionString: url.href });
    await client.connect();
    this.#clients.add(client);
    client.once('end', () => this.#clients.delete(client));
    return client;
  }

  /** A role that may only log in and, if wanted, export. */
  async createRole(superuser: pg.Client, { mayExport }: { mayExport: boolean }) {
    const role = { name: `role_${randomBytes(4).toString('hex')}`, password: 'secret' };
    await superuser.query(`CREATE ROLE ${role.name} LOGIN PASSWORD '${role.password}'`);
    if (mayExport) {
      await superuser.query(`
        GRANT USAGE ON SCHEMA aws_s3 TO ${role.name};
        GRANT EXECUTE ON FUNCTION aws_s3.query_export_to_s3(text, text, text, text, text, text) TO ${role.name};`);
    }
    return role;
  }

  /** The content of an object. */
  async object(key: string): Promise<Buffer> {
    const { Body } = await this.s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: key }));
    if (Body === undefined) throw new Error(`object ${key} has no body`);
    return Buffer.from(await Body.transformToByteArray());
  }

  async keys(prefix: string): Promise<string[]> {
    const { Contents = [] } = await this.s3.send(
      new ListObjectsV2Command({ Bucket: BUCKET, Prefix: prefix }),
    );
    return Contents.flatMap(({ Key }) => Key ?? []);
  }

  /** What the agent has logged so far. */
  agentLog(): Promise<string> {
    return readFile(this.stack.agent.logFile, 'utf8');
  }

  /** Waits until the agent with this process id was replaced by another. */
  async agentReplaced(pid: number): Promise<void> {
    for (;;) {
      if (this.stack.agent.pid !== pid && (await this.#agentStatus().catch(() => undefined)) !== undefined)
        return;
      await delay(50);
    }
  }

  /** Runs something while the agent has other settings. */
  async withAgentOf<T>(settings: ConfigChanges, work: () => Promise<T>): Promise<T> {
    const file = join(this.stack.directory, 'sluice.toml');
    const written = await readFile(file, 'utf8');
    try {
      await this.#restartAgent(file, changedConfig(written, settings));
      return await work();
    } finally {
      await this.#restartAgent(file, written);
    }
  }

  async #restartAgent(configFile: string, config: string): Promise<void> {
    await writeFile(configFile, config);
    const { pid } = this.stack.agent;
    process.kill(pid, 'SIGKILL');
    await this.agentReplaced(pid);
  }

  async runningExports(): Promise<number> {
    return (await this.#agentStatus()).exports;
  }

  /** Aborts uploads that a test has left open on purpose. */
  async abortUploads(): Promise<void> {
    const { Uploads = [] } = await this.s3.send(new ListMultipartUploadsCommand({ Bucket: BUCKET }));
    for (const { Key, UploadId } of Uploads) {
      await this.s3.send(new AbortMultipartUploadCommand({ Bucket: BUCKET, Key, UploadId }));
    }
  }

  /** The output of COPY to a file, in the same session. */
  async copy(client: pg.Client, query: string, options?: string): Promise<Buffer> {
    const path = await this.copyToFile(client, query, options);
    const bytes = await readFile(path);
    await rm(path);
    return bytes;
  }

  /** Like copy, but keeps the file and gives its path. */
  async copyToFile(client: pg.Client, query: string, options?: string): Promise<string> {
    const path = join(this.directory, randomBytes(8).toString('hex'));
    await client.query(`COPY (${query}\n) TO '${path}'${options ? ` WITH (${options})` : ''}`);
    return path;
  }

  /**
   * Waits until nothing of any export is left: no open multipart upload, no used pipe, no running export, and in the
   * given sessions no connection to the agent and no temporary table. Throws when something stays.
   */
  async expectNothingLeft(...sessions: readonly pg.Client[]): Promise<void> {
    const deadline = Date.now() + SETTLE_TIMEOUT_MS;
    for (;;) {
      const left = await this.#leftovers(sessions);
      if (left.length === 0) return;
      if (Date.now() > deadline) throw new Error(`left behind: ${left.join('; ')}`);
      await delay(50);
    }
  }

  async #leftovers(sessions: readonly pg.Client[]): Promise<string[]> {
    const left: string[] = [];
    const { Uploads = [] } = await this.s3.send(new ListMultipartUploadsCommand({ Bucket: BUCKET }));
    left.push(...Uploads.map(({ Key }) => `a multipart upload of ${Key}`));

    const status = await this.#agentStatus();
    if (status.exports > 0) left.push(`${status.exports} running exports`);
    const pipes = await readdir(join(this.stack.agent.socketDirectory, 'pipes'));
    if (pipes.length !== status.readyPipes) left.push(`${pipes.length - status.readyPipes} pipes`);

    for (const session of sessions) {
      const { rows } = await session.query<{ connections: string[] | null; tables: string[] | null }>(`
        SELECT public.dblink_get_connections() AS connections,
          (SELECT array_agg(relname::text) FROM pg_class
           WHERE relnamespace = pg_my_temp_schema() AND relname LIKE 'aws\\_s3\\_%') AS tables`);
      left.push(...(rows[0]?.connections ?? []).map((name) => `the connection ${name}`));
      left.push(...(rows[0]?.tables ?? []).map((name) => `the temporary table ${name}`));
    }
    return left;
  }

  async #agentStatus(): Promise<{ exports: number; readyPipes: number }> {
    const client = await this.connect();
    try {
      await client.query(`SELECT sluice.connect('status')`);
      const { rows } = await client.query<{ status: { exports: number; readyPipes: number } }>(
        `SELECT sluice.request('status', '{"op": "ping"}') AS status`,
      );
      const status = rows[0]?.status;
      if (status === undefined) throw new Error('the agent gave no status');
      return status;
    } finally {
      await client.end();
    }
  }
}

/** Calls aws_s3.query_export_to_s3 in a session. */
export async function exportQuery(
  client: pg.Client,
  query: string,
  key: string,
  options: string | null = null,
): Promise<ExportRow> {
  const { rows } = await client.query<Record<'rows_uploaded' | 'files_uploaded' | 'bytes_uploaded', string>>(
    'SELECT * FROM aws_s3.query_export_to_s3($1, $2, $3, options := $4)',
    [query, BUCKET, key, options],
  );
  const row = rows[0];
  if (row === undefined) throw new Error('the export gave no row');
  return {
    rows: Number(row.rows_uploaded),
    files: Number(row.files_uploaded),
    bytes: Number(row.bytes_uploaded),
  };
}

function postgresMajor(text: string): PostgresMajor {
  const major = ([14, 15, 16, 17, 18] as const).find((known) => String(known) === text);
  if (major === undefined) throw new Error(`SLUICE_PG_VERSION=${text}: there is no such version here`);
  return major;
}
