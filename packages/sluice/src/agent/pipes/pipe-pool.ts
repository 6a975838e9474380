import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, constants, openSync } from 'node:fs';
import { lstat, readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SluiceError } from '../../errors.ts';
import type { OsUser } from '../os-user.ts';
import { makeOwnDirectory } from '../own-directory.ts';

const run = promisify(execFile);

/** More pipes are made when fewer than REFILL_BELOW are ready: many at once, since mkfifo is a process. */
const READY_PIPES = 32;
const REFILL_BELOW = 16;

export interface PipePoolOptions {
  /** The folder of the pipes: made if it is missing, and open to its owner only. */
  directory: string;
  /** Who PostgreSQL runs as; undefined when it is the agent's own user. */
  owner?: OsUser | undefined;
}

/** A named pipe that the agent has opened before PostgreSQL learns its name. Its user must close both descriptors. */
export interface OpenPipe {
  name: string;
  path: string;
  /** For reading, non-blocking. */
  fd: number;
  /**
   * Opened for writing, and never written to. While it is open, nobody who opens the pipe for reading has to wait; the
   * extension does that to check that the path is a pipe (sluice.is_pipe).
   */
  writerFd: number;
}

/**
 * Makes named pipes ahead of use. Each is used once: its name is random. The agent opens it for reading before its name
 * is given to PostgreSQL, so that a backend which opens it for writing never waits. It is removed at the end of its
 * export.
 */
export class PipePool {
  readonly #options: PipePoolOptions;
  readonly #ready: string[] = [];
  #refilling: Promise<void> | undefined;

  private constructor(options: PipePoolOptions) {
    this.#options = options;
  }

  /** Prepares the folder, removes the pipes that a killed agent left, and makes the first pipes. */
  static async open(options: PipePoolOptions): Promise<PipePool> {
    const { directory, owner } = options;
    await makeOwnDirectory(directory, owner);
    for (const name of await readdir(directory)) await removeLeftPipe(join(directory, name));
    const pool = new PipePool(options);
    await pool.#refill();
    return pool;
  }

  /** How many pipes are ready for use. */
  get readyPipes(): number {
    return this.#ready.length;
  }

  async take(): Promise<OpenPipe> {
    while (this.#ready.length === 0) await this.#refill();
    const name = this.#ready.shift();
    if (name === undefined) throw new SluiceError('internal', 'the pool of pipes is empty');
    if (this.#ready.length < REFILL_BELOW) {
      // A failure is ignored here: if no pipe is left, the next take() tries again and throws.
      this.#refill().catch(() => undefined);
    }
    const path = join(this.#options.directory, name);
    const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    return { name, path, fd, writerFd: openSync(path, constants.O_WRONLY | constants.O_NONBLOCK) };
  }

  /** Removes the unused pipes. */
  async close(): Promise<void> {
    await this.#refilling?.catch(() => undefined);
    for (const name of this.#ready.splice(0))
      await unlink(join(this.#options.directory, name)).catch(ignoreMissing);
  }

  async #refill(): Promise<void> {
    this.#refilling ??= this.#make(READY_PIPES - this.#ready.length).finally(() => {
      this.#refilling = undefined;
    });
    await this.#refilling;
  }

  async #make(count: number): Promise<void> {
    const { directory, owner } = this.#options;
    const names = Array.from({ length: count }, () => randomBytes(16).toString('hex'));
    const user = owner === undefined ? {} : { uid: owner.uid, gid: owner.gid };
    try {
      await run('mkfifo', ['-m', '600', ...names.map((name) => join(directory, name))], user);
    } catch (error) {
      throw new SluiceError('internal', 'could not make named pipes', {
        cause: error,
        detail: error instanceof Error ? error.message.trim() : String(error),
        hint: `Is mkfifo installed, and may the agent write to "${directory}"?`,
      });
    }
    this.#ready.push(...names);
  }
}

/**
 * Removes a pipe that was left. Opening and closing it for reading first wakes a backend that waits in open() on it;
 * that backend's write then fails.
 */
async function removeLeftPipe(path: string): Promise<void> {
  const status = await lstat(path);
  if (status.isDirectory()) {
    throw new SluiceError('config_invalid', `"${path}" stands in the folder of the agent's pipes`, {
      hint: 'Give the agent a socket_directory of its own.',
    });
  }
  if (status.isFIFO()) closeSync(openSync(path, constants.O_RDONLY | constants.O_NONBLOCK));
  await unlink(path);
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}
