import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type pg from 'pg';
import { allow, AwsAccount } from '../support/aws-account.ts';
import { changedConfig } from '../support/changed-config.ts';
import { TestStack } from '../support/test-stack.ts';
import type { ExportRole } from './export-draw.ts';
import { FaultyAws } from './faulty-aws.ts';
import { OwnAgent } from './own-agent.ts';
import { OwnServer } from './own-server.ts';

/** Of one request to S3; what else is bounded follows from it. */
export const REQUEST_TIMEOUT_MS = 1_500;
export const MAX_ATTEMPTS = 3;
export const SHUTDOWN_TIMEOUT_MS = 1_000;
const FILE_LIMIT = '8MiB';
const PART_SIZE = '5MiB';
const PASSWORD = 'secret';
const GUIDE_SESSIONS = '*:guide_*';

/**
 * A local stack, and an agent of our own that reaches its AWS through one that misbehaves. Database roles whose name
 * begins with `guide_` may do with S3 what the guide's sample policy and s3:AbortMultipartUpload let them; the others
 * may also look, list and remove.
 */
export class FaultStack implements AsyncDisposable {
  readonly testStack: TestStack;
  readonly aws: FaultyAws;
  readonly agent: OwnAgent;
  readonly server: OwnServer;
  readonly socketDirectory: string;
  readonly stateDirectory: string;
  readonly #directory: string;

  private constructor(parts: { testStack: TestStack; aws: FaultyAws; server: OwnServer }, directory: string) {
    this.testStack = parts.testStack;
    this.aws = parts.aws;
    this.server = parts.server;
    this.#directory = directory;
    this.agent = new OwnAgent(join(directory, 'sluice.toml'));
    this.socketDirectory = join(directory, 'run');
    this.stateDirectory = join(directory, 'state');
  }

  /** @param options.requestTimeoutMs of one request to S3; longer where no fault waits for it */
  static async start({ requestTimeoutMs = REQUEST_TIMEOUT_MS } = {}): Promise<FaultStack> {
    const aws = await FaultyAws.start();
    const testStack = await TestStack.start();
    aws.target = testStack.stack.aws.endpoint;
    // Short, as a Unix socket's path must be, and open to PostgreSQL's user.
    const directory = await mkdtemp(join(tmpdir(), 'sluice-f-'));
    await chmod(directory, 0o711);
    const server = await OwnServer.of(testStack);
    const stack = new FaultStack({ testStack, aws, server }, directory);
    try {
      await stack.#setUp(requestTimeoutMs);
    } catch (error) {
      await stack[Symbol.asyncDispose]();
      throw error;
    }
    return stack;
  }

  /** A new session of a role; `name`, when it is not the usual one. */
  connect(role: ExportRole | 'superuser', name: string = role): Promise<pg.Client> {
    return this.server.connect(role === 'superuser' ? undefined : { name, password: PASSWORD });
  }

  /** A role of its own has a role session of its own at AWS, whose credentials the agent does not have yet. */
  async createRole(role: ExportRole, name: string): Promise<void> {
    await this.asSuperuser(async (superuser) => {
      await superuser.query(`CREATE ROLE ${name} LOGIN PASSWORD '${PASSWORD}'; GRANT exporters TO ${name}`);
      if (role.endsWith('direct')) await superuser.query(`GRANT pg_write_server_files TO ${name}`);
    });
  }

  async dropRole(name: string): Promise<void> {
    await this.asSuperuser((superuser) => superuser.query(`DROP ROLE ${name}`));
  }

  async asSuperuser<T>(work: (superuser: pg.Client) => Promise<T>): Promise<T> {
    const superuser = await this.connect('superuser');
    try {
      return await work(superuser);
    } finally {
      await superuser.end();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.agent.end('SIGKILL');
    await this.server.stop();
    await this.testStack.stop();
    await this.aws[Symbol.asyncDispose]();
    await rm(this.#directory, { recursive: true, force: true });
  }

  async #setUp(requestTimeoutMs: number): Promise<void> {
    const { stack } = this.testStack;
    const account = new AwsAccount(stack);
    await account.putPolicy('test-export', rolePolicy());
    account.close();
    await mkdir(this.stateDirectory, { mode: 0o700 });
    await copyFile(
      join(stack.directory, 'agent', 'role-associations.json'),
      join(this.stateDirectory, 'role-associations.json'),
    );
    const { endpoint } = this.aws;
    const config = changedConfig(await readFile(join(stack.directory, 'sluice.toml'), 'utf8'), {
      agent: {
        socket_directory: this.socketDirectory,
        state_directory: this.stateDirectory,
        shutdown_timeout: `${SHUTDOWN_TIMEOUT_MS}ms`,
      },
      aws: { sts_endpoint: endpoint },
      s3: {
        endpoint,
        connect_timeout: `${requestTimeoutMs}ms`,
        request_timeout: `${requestTimeoutMs}ms`,
        max_attempts: MAX_ATTEMPTS,
      },
      export: { file_limit: FILE_LIMIT, part_size: PART_SIZE, memory: '96MiB' },
      rds_api: { listen: join(this.#directory, 'rds.sock') },
    });
    await writeFile(join(this.#directory, 'sluice.toml'), config);
    await this.asSuperuser((superuser) =>
      superuser.query(`
        ALTER SERVER sluice_agent OPTIONS (SET host '${this.socketDirectory}');
        CREATE ROLE exporters;
        GRANT USAGE ON SCHEMA aws_s3 TO exporters;
        GRANT EXECUTE ON FUNCTION aws_s3.query_export_to_s3(text, text, text, text, text, text) TO exporters`),
    );
    for (const role of ['direct', 'staged', 'guide_direct', 'guide_staged'] as const)
      await this.createRole(role, role);
    await this.agent.start();
  }
}

/** Who a session is of can't be forged: the agent takes it from PostgreSQL, and AWS has it in aws:userid. */
function rolePolicy(): object {
  const sample = allow(['s3:PutObject', 's3:AbortMultipartUpload'], ['*']) as { Statement: object[] };
  const more = allow(['s3:*'], ['*'], { Condition: { StringNotLike: { 'aws:userid': GUIDE_SESSIONS } } });
  return { ...sample, Statement: [...sample.Statement, ...(more as { Statement: object[] }).Statement] };
}
