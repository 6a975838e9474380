import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import {
  FleetClient,
  loadFleetConfig,
  type FleetRequest,
  type FleetTiming,
} from '../../packages/fleet/src/index.ts';
import { RedisServer } from './redis-server.ts';
import { BUCKET, type TestStack } from './test-stack.ts';

const PROGRAM = fileURLToPath(new URL('fleet-worker.mjs', import.meta.url));

/** Soon enough for a test, and slow enough for a busy machine. */
const TIMING: Partial<FleetTiming> = {
  lockMs: 2_000,
  stalledMs: 500,
  leaseMs: 3_000,
  extendMs: 500,
  giveUpMs: 2_000,
  checkMs: 300,
  lookMs: 500,
  sweepMs: 500,
  unknownUploadMs: 2_000,
  lateMs: 2_000,
  retryMs: 100,
};

/** A worker in a process of its own. */
export class WorkerProcess {
  readonly child: ChildProcess;
  readonly #lines: string[] = [];
  readonly ended: Promise<unknown>;

  constructor(path: string, env: Readonly<Record<string, string>>, timing: Partial<FleetTiming>) {
    this.child = spawn(process.execPath, [PROGRAM, path, JSON.stringify(timing)], {
      env: { ...process.env, ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.ended = once(this.child, 'exit');
    if (this.child.stderr !== null) {
      createInterface({ input: this.child.stderr }).on('line', (line) => this.#lines.push(line));
    }
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  /** What it has logged, one JSON a line. */
  get log(): string {
    return this.#lines.join('\n');
  }

  async ready(): Promise<this> {
    if (this.child.stdout === null) throw new Error('the worker has no output');
    const ready = once(this.child.stdout, 'data');
    await Promise.race([ready, this.ended]);
    if (this.child.exitCode !== null) throw new Error(`the worker has ended: ${this.log}`);
    return this;
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill(signal);
    await this.ended;
  }
}

export interface TestFleetOptions {
  redis?: RedisServer | undefined;
  /** Of [redis]. @default the socket of the server */
  redisSettings?: string | undefined;
  /** Of the source. @default that of the stack's superuser */
  database?: string | undefined;
  /** Of fleet.toml. */
  worker?: string | undefined;
  maxConnections?: number | undefined;
  maxExports?: number | undefined;
  endpoint?: string | undefined;
  timing?: Partial<FleetTiming> | undefined;
}

/** Redis, workers as processes, and a client. The source is `main`, the database of a stack. */
export class TestFleet implements AsyncDisposable {
  readonly redis: RedisServer;
  readonly client: FleetClient;
  readonly workers: WorkerProcess[] = [];
  /** All that there ever were. */
  readonly everyone: WorkerProcess[] = [];
  /** Of the fleet. */
  readonly key: string;
  readonly #directory: string;
  readonly #timing: Partial<FleetTiming>;
  readonly #ownsRedis: boolean;

  private constructor(parts: {
    redis: RedisServer;
    client: FleetClient;
    key: string;
    directory: string;
    timing: Partial<FleetTiming>;
    ownsRedis: boolean;
  }) {
    this.redis = parts.redis;
    this.client = parts.client;
    this.key = parts.key;
    this.#directory = parts.directory;
    this.#timing = parts.timing;
    this.#ownsRedis = parts.ownsRedis;
  }

  static async start(testStack: TestStack, options: TestFleetOptions = {}): Promise<TestFleet> {
    const redis = options.redis ?? (await RedisServer.start());
    const directory = await mkdtemp(join(tmpdir(), 'sluice-fleet-'));
    const { aws, postgres } = testStack.stack;
    const { maxConnections = 8, maxExports = 2, database = postgres.url, worker = '' } = options;
    const key = randomBytes(32).toString('base64');
    await writeFile(
      join(directory, 'fleet.toml'),
      `[fleet]
key = "${key}"
name = "test"
[redis]
${options.redisSettings ?? `url = "${redis.url}"`}
[worker]
${worker}
[sources.main]
url = "${database}"
max_connections = ${maxConnections}
max_exports = ${maxExports}
[s3]
region = "${aws.region}"
endpoint = "${options.endpoint ?? aws.endpoint}"
access_key_id = "${aws.accessKeyId}"
secret_access_key = "${aws.secretAccessKey}"
`,
      { mode: 0o600 },
    );
    const config = await loadFleetConfig(join(directory, 'fleet.toml'));
    const client = await FleetClient.connect(config);
    const timing = { ...TIMING, ...options.timing };
    return new TestFleet({ redis, client, key, directory, timing, ownsRedis: options.redis === undefined });
  }

  get configPath(): string {
    return join(this.#directory, 'fleet.toml');
  }

  async startWorker(): Promise<WorkerProcess> {
    const worker = new WorkerProcess(this.configPath, {}, this.#timing);
    this.everyone.push(worker);
    this.workers.push(await worker.ready());
    return worker;
  }

  /** Ends one with SIGKILL, and starts another. */
  async replace(worker: WorkerProcess): Promise<void> {
    this.workers.splice(this.workers.indexOf(worker), 1);
    await worker.kill();
    await this.startWorker();
  }

  submit(request: Partial<FleetRequest> & { prefix: string }): Promise<string> {
    return this.client.submit({ source: 'main', bucket: BUCKET, fileSizeBytes: 1024 ** 2, ...request });
  }

  /** What all workers have logged. */
  get log(): string {
    return this.everyone.map(({ log }) => log).join('\n');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.workers.map((worker) => worker.kill()));
    await this.client.close();
    if (this.#ownsRedis) await this.redis[Symbol.asyncDispose]();
    await rm(this.#directory, { recursive: true, force: true });
  }
}

/** The worker that keeps the snapshot of an export. */
export async function keeperOf(fleet: TestFleet, id: string): Promise<WorkerProcess> {
  const shown = await fleet.client.show(id);
  const keeper = fleet.workers.find(({ pid }) => shown?.worker === `${hostname()}:${pid}`);
  if (keeper === undefined) throw new Error(`nobody keeps ${id}: ${shown?.worker}`);
  return keeper;
}
