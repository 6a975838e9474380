import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { pino } from 'pino';
import { stringify } from 'smol-toml';
import type { AwsRequestLog } from '../../../local/src/aws/endpoint.ts';
import { startAwsServer } from '../../../local/src/aws/server.ts';
import { Agent } from '../../src/agent/agent.ts';
import { parseConfig } from '../../src/config/load-config.ts';
import { FakeSts } from '../identity/fake-sts.ts';

export const REGION = 'us-west-2';
export const BUCKET = 'exports';
export const ROLE_ARN = 'arn:aws:iam::123456789012:role/export';
export const STATIC_KEYS = { access_key_id: 'AKIASTATIC', secret_access_key: 'static secret' };

type Section = Record<string, unknown>;

/** A line of the agent's log. */
export interface LogLine {
  msg: string;
  err?: { hint?: string };
}

/** The agent's answer to a request. */
export interface Answer {
  state?: string;
  token?: string;
  pipe?: string;
  exports?: number;
  files?: number;
  bytes?: number;
  error?: { sqlstate: string; message: string; detail?: string; hint?: string };
}

/** An agent whose S3 accepts the credentials of a fake STS. The test sends the requests of the extension to it. */
export class AgentFixture implements AsyncDisposable {
  readonly sts: FakeSts;
  readonly s3Requests: readonly AwsRequestLog[];
  /** Actions that S3 denies from now on. */
  readonly denied: Set<string>;
  /** Actions that S3 does not answer while they are in this set. */
  readonly stalled: Set<string>;
  readonly directory: string;
  readonly logged: readonly LogLine[];
  agent: Agent;
  readonly #closers: (() => Promise<unknown>)[];
  readonly #sections: Record<string, Section>;

  private constructor(
    parts: Pick<AgentFixture, 'sts' | 's3Requests' | 'denied' | 'stalled' | 'directory' | 'logged' | 'agent'>,
    closers: (() => Promise<unknown>)[],
    sections: Record<string, Section>,
  ) {
    this.sts = parts.sts;
    this.s3Requests = parts.s3Requests;
    this.denied = parts.denied;
    this.stalled = parts.stalled;
    this.directory = parts.directory;
    this.logged = parts.logged;
    this.agent = parts.agent;
    this.#closers = closers;
    this.#sections = sections;
  }

  /** @param options.throughS3 the endpoint that the agent uses in place of S3's own */
  static async start(
    sections: Record<string, Section> = {},
    options: { throughS3?: (endpoint: string) => Promise<string> } = {},
  ): Promise<AgentFixture> {
    // Called in this order at the end.
    const closers: (() => Promise<unknown>)[] = [];
    try {
      return await AgentFixture.#start(sections, closers, options);
    } catch (error) {
      for (const close of closers) await close();
      throw error;
    }
  }

  static async #start(
    sections: Record<string, Section>,
    closers: (() => Promise<unknown>)[],
    {
      throughS3 = (endpoint) => Promise.resolve(endpoint),
    }: { throughS3?: (endpoint: string) => Promise<string> },
  ): Promise<AgentFixture> {
    const directory = await mkdtemp(join(tmpdir(), 'sluice-agent-'));
    closers.unshift(() => rm(directory, { recursive: true, force: true }));
    const sts = await FakeSts.start();
    closers.unshift(() => sts[Symbol.asyncDispose]());
    const s3Requests: AwsRequestLog[] = [];
    const denied = new Set<string>();
    const stalled = new Set<string>();
    const s3 = await startAwsServer({
      port: 0,
      directory: join(directory, 'aws'),
      region: REGION,
      credentials: (id) =>
        id === STATIC_KEYS.access_key_id
          ? { secretAccessKey: STATIC_KEYS.secret_access_key }
          : sts.sessions.get(id),
      authorize: async ({ action }) => {
        while (stalled.has(action)) await delay(50);
        return { allowed: !denied.has(action) };
      },
      log: (request) => s3Requests.push(request),
    });
    closers.unshift(() => s3.stop());
    const all = {
      ...sections,
      cluster: { identifier: 'my-db-cluster', region: REGION, ...sections['cluster'] },
      agent: {
        socket_directory: join(directory, 'run'),
        state_directory: join(directory, 'state'),
        shutdown_timeout: '1s',
        ...sections['agent'],
      },
      aws: {
        sts_endpoint: sts.endpoint,
        access_key_id: 'AKIABASE',
        secret_access_key: 'base',
        ...sections['aws'],
      },
      s3: { endpoint: await throughS3(s3.endpoint), max_attempts: 2, ...sections['s3'] },
    };
    const logged: LogLine[] = [];
    const agent = await startAgent(all, logged);
    const fixture = new AgentFixture(
      { sts, s3Requests, denied, stalled, directory, logged, agent },
      closers,
      all,
    );
    await fixture.#makeBucket(s3.endpoint);
    return fixture;
  }

  async restart(): Promise<void> {
    await this.agent.stop();
    this.agent = await startAgent(this.#sections);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.agent.stop({ gracePeriodMs: 0 });
    for (const close of this.#closers) await close();
  }

  /** The configuration of another agent, whose directories are inside this fixture's. */
  configOf(directory: string): Record<string, Section> {
    const { agent, ...rest } = this.#sections;
    const own = { socket_directory: join(directory, 'run'), state_directory: join(directory, 'state') };
    return { ...rest, agent: { ...agent, ...own } };
  }

  /** A connection like one of dblink. */
  async connect(socketDirectory = join(this.directory, 'run')): Promise<AgentConnection> {
    const client = new Client({
      host: socketDirectory,
      port: 5432,
      user: 'sluice',
      database: 'sluice',
    });
    client.on('error', () => undefined);
    await client.connect();
    return new AgentConnection(client, join(socketDirectory, 'pipes'));
  }

  async runningExports(): Promise<number | undefined> {
    const connection = await this.connect();
    const { exports } = await connection.ask({ op: 'ping' });
    await connection.end();
    return exports;
  }

  /** Waits until the exports of closed connections have ended. */
  async noExportRuns(): Promise<void> {
    await waitUntil(async () => (await this.runningExports()) === 0, 'no export runs');
  }

  async #makeBucket(endpoint: string): Promise<void> {
    const { CreateBucketCommand, S3Client } = await import('@aws-sdk/client-s3');
    const client = new S3Client({
      endpoint,
      region: REGION,
      forcePathStyle: true,
      credentials: { accessKeyId: STATIC_KEYS.access_key_id, secretAccessKey: STATIC_KEYS.secret_access_key },
    });
    await client.send(new CreateBucketCommand({ Bucket: BUCKET }));
    client.destroy();
  }
}

async function waitUntil(isTrue: () => Promise<boolean>, what: string): Promise<void> {
  const deadline = Date.now() + 5_000;
  while (!(await isTrue())) {
    if (Date.now() > deadline) throw new Error(`waited in vain: ${what}`);
    await delay(50);
  }
}

function startAgent(sections: Record<string, Section>, logged: LogLine[] = []): Promise<Agent> {
  const config = parseConfig(stringify(sections), 'sluice.toml');
  return Agent.start({
    config,
    log: pino({}, { write: (line: string) => void logged.push(JSON.parse(line)) }),
  });
}

export class AgentConnection {
  readonly #client: Client;
  readonly #pipes: string;

  constructor(client: Client, pipes: string) {
    this.#client = client;
    this.#pipes = pipes;
  }

  async ask(request: object): Promise<Answer> {
    const text = `sluice 2 ${Buffer.from(JSON.stringify(request)).toString('hex')}`;
    const { rows } = await this.#client.query<{ answer: string }>(text);
    const answer: Answer = JSON.parse(Buffer.from(rows[0]?.answer ?? '', 'hex').toString());
    return answer;
  }

  /** Sends a request like sluice.request in the extension's SQL. */
  async request(request: object): Promise<Answer> {
    for (;;) {
      const answer = await this.ask(request);
      if (answer.state !== 'pending') return answer;
    }
  }

  pipePath(name: string | undefined): string {
    return join(this.#pipes, name ?? 'none');
  }

  end(): Promise<void> {
    return this.#client.end();
  }
}

export function beginRequest(changes: object = {}): object {
  return {
    op: 'begin',
    role: 'report_user',
    database: 'postgres',
    pid: 4711,
    clientEncoding: 'UTF8',
    bucket: BUCKET,
    filePath: `file-${randomBytes(4).toString('hex')}`,
    region: null,
    options: null,
    backslashEscapes: false,
    kmsKey: null,
    ...changes,
  };
}
