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

/** The timeout of a request to S3. Other limits are derived from it. */
export const REQUEST_TIMEOUT_MS = 1_500;
export const MAX_ATTEMPTS = 3;
export const SHUTDOWN_TIMEOUT_MS = 1_000;
const FILE_LIMIT = '8MiB';
const PART_SIZE = '5MiB';
const PASSWORD = 'secret';
const GUIDE_SESSIONS = '*:guide_*';

/**
 * A local stack, and our own agent, whose way to AWS can have faults. Database roles whose names begin with `guide_`
 * have the permissions of the guide's sample policy and s3:AbortMultipartUpload. The others may also look at objects,
 * list uploads and remove objects.
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

  /** @param options.requestTimeoutMs the timeout of a request to S3; longer where no fault waits for it */
  static async start({ requestTimeoutMs = REQUEST_TIMEOUT_MS } = {}): Promise<FaultStack> {
    const aws = await FaultyAws.start();
    const testStack = await TestStack.start();
    aws.target = testStack.stack.aws.endpoint;
    // A short path, because of the Unix sockets, in a directory that PostgreSQL's user can enter.
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

  /** A new session of a role. `name` is the name of a role made for one run. */
  connect(role: ExportRole | 'superuser', name: string = role): Promise<pg.Client> {
    return this.server.connect(role === 'superuser' ? undefined : { name, password: PASSWORD });
  }

  /** A new database role has a new role session at AWS, for which the agent has no credentials yet. */
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

/**
 * Permissions depend on aws:userid, which contains the database role. The agent takes it from PostgreSQL, so it can't
 * be forged.
 */
function rolePolicy(): object {
  const sample = allow(['s3:PutObject', 's3:AbortMultipartUpload'], ['*']) as { Statement: object[] };
  const more = allow(['s3:*'], ['*'], { Condition: { StringNotLike: { 'aws:userid': GUIDE_SESSIONS } } });
  return { ...sample, Statement: [...sample.Statement, ...(more as { Statement: object[] }).Statement] };
}
