import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify, type TomlTable } from 'smol-toml';
import type { Finished } from './clients.ts';
import { runSluice, startSluice, type RunningCommand } from './export-command.ts';
import { RedisServer } from './redis-server.ts';
import type { TestStack } from './test-stack.ts';

/** A Redis, and a fleet.toml, with which `sluice worker` and `sluice fleet` run as processes. */
export class Fleet implements AsyncDisposable {
  readonly testStack: TestStack;
  readonly redis: RedisServer;
  readonly #directory: string;
  readonly #key = randomBytes(32).toString('base64');
  readonly #commands = new Set<RunningCommand>();
  #files = 0;

  private constructor(testStack: TestStack, redis: RedisServer, directory: string) {
    this.testStack = testStack;
    this.redis = redis;
    this.#directory = directory;
  }

  static async start(testStack: TestStack): Promise<Fleet> {
    const directory = await mkdtemp(join(tmpdir(), 'sluice-fleet-'));
    return new Fleet(testStack, await RedisServer.start({ isDurable: true }), directory);
  }

  /** Writes a fleet.toml. @returns its path */
  async config(more: TomlTable = {}): Promise<string> {
    this.#files += 1;
    const path = join(this.#directory, `fleet-${this.#files}.toml`);
    const { endpoint, region } = this.testStack.stack.aws;
    const config = {
      fleet: { key: this.#key },
      redis: { url: this.redis.url },
      sources: { sales: { url: this.testStack.stack.postgres.url } },
      s3: { endpoint, region, force_path_style: true },
      ...more,
    };
    await writeFile(path, stringify(config), { mode: 0o600 });
    return path;
  }

  /** Starts a command, which ends with the fleet. */
  startSluice(args: readonly string[], env: Readonly<Record<string, string>> = {}): RunningCommand {
    const command = startSluice(this.testStack, args, { env });
    this.#commands.add(command);
    return command;
  }

  runSluice(args: readonly string[]): Promise<Finished> {
    return runSluice(this.testStack, args);
  }

  /** Starts a worker, and waits until it says that it takes jobs. */
  async startWorker(config: string): Promise<RunningCommand> {
    const worker = this.startSluice(['worker', '--config', config]);
    await new Promise<void>((resolve, reject) => {
      let read = '';
      worker.child.stdout?.on('data', (data: Buffer) => {
        read += data.toString();
        if (read.includes('the worker is ready')) resolve();
      });
      worker.child.on('close', () => reject(new Error(`the worker ended: ${read}`)));
    });
    return worker;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { child } of this.#commands) if (child.exitCode === null) child.kill('SIGKILL');
    await Promise.all([...this.#commands].map(({ finished }) => finished));
    await this.redis[Symbol.asyncDispose]();
    await rm(this.#directory, { recursive: true, force: true });
  }
}
