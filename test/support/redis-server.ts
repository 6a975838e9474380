import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';

/** Ends the server when this process does, however that ends: its standard input is closed then. */
const SUPERVISED = 'redis-server "$@" >&2 & echo $!; cat >/dev/null; kill -9 $!; wait';

/** A Redis of a test, on a Unix socket. It keeps what it has only where that is asked for. */
export class RedisServer implements AsyncDisposable {
  readonly #directory: string;
  readonly #options: { isDurable: boolean };
  #shell: ChildProcess | undefined;
  #pid = 0;

  private constructor(directory: string, options: { isDurable: boolean }) {
    this.#directory = directory;
    this.#options = options;
  }

  /** @param options.isDurable whether it has what it had when it was killed and is started again. @default false */
  static async start(options: { isDurable?: boolean } = {}): Promise<RedisServer> {
    const directory = await mkdtemp(join(tmpdir(), 'sluice-redis-'));
    const server = new RedisServer(directory, { isDurable: false, ...options });
    await server.startAgain();
    return server;
  }

  get url(): string {
    return `unix://${this.#directory}/redis.sock`;
  }

  /** A connection of its own, which the caller ends. */
  connect(): Redis {
    return new Redis(join(this.#directory, 'redis.sock'), { maxRetriesPerRequest: null });
  }

  async startAgain(): Promise<void> {
    const settings = {
      port: '0',
      unixsocket: join(this.#directory, 'redis.sock'),
      dir: this.#directory,
      save: '',
      appendonly: this.#options.isDurable ? 'yes' : 'no',
      'maxmemory-policy': 'noeviction',
    };
    const args = Object.entries(settings).flatMap(([key, value]) => [`--${key}`, value]);
    this.#shell = spawn('sh', ['-c', SUPERVISED, 'sh', ...args], { stdio: ['pipe', 'pipe', 'ignore'] });
    const { stdout } = this.#shell;
    if (stdout === null) throw new Error('the shell has no output');
    const [line] = await once(createInterface({ input: stdout }), 'line');
    this.#pid = Number(line);
    await this.#answers();
  }

  async kill(): Promise<void> {
    process.kill(this.#pid, 'SIGKILL');
    await this.#endShell();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#endShell();
    await rm(this.#directory, { recursive: true, force: true });
  }

  async #endShell(): Promise<void> {
    const shell = this.#shell;
    this.#shell = undefined;
    if (shell === undefined) return;
    const ended = once(shell, 'exit');
    shell.stdin?.end();
    await ended;
  }

  async #answers(): Promise<void> {
    for (let tries = 0; tries < 200; tries += 1) {
      const redis = new Redis(join(this.#directory, 'redis.sock'), {
        lazyConnect: true,
        retryStrategy: () => null,
      });
      // Nothing listens there yet.
      redis.on('error', () => undefined);
      try {
        await redis.connect();
        await redis.ping();
        return;
      } catch {
        await delay(25);
      } finally {
        redis.disconnect();
      }
    }
    throw new Error('redis-server does not answer');
  }
}
