import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const PROGRAM = join(import.meta.dirname, '../../packages/sluice/bin/sluice.js');
const CLOCK = new URL('../support/shifted-clock.mjs', import.meta.url).href;
const START_TIMEOUT_MS = 30_000;
/** How many lines of the log are kept. */
const MAX_LINES = 20_000;

/** One line of the agent's log. */
export type LogLine = Readonly<Record<string, unknown>> & { msg?: string; level?: number };

/**
 * An agent as a child process of the test. The stack's own agent can't be used: its supervisor restarts it with growing
 * delays. The log goes through a pipe, so that it is written even when the disk is full.
 */
export class OwnAgent {
  readonly #configFile: string;
  /** The file with the milliseconds by which the agent's clock is wrong. */
  readonly #clockFile: string;
  readonly #lines: LogLine[] = [];
  #dropped = 0;
  #child: ChildProcess | undefined;
  #isMeantToEnd = false;
  #unexpectedEnds: string[] = [];

  constructor(configFile: string) {
    this.#configFile = configFile;
    this.#clockFile = `${configFile}.clock`;
  }

  get pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined) throw new Error('the agent does not run');
    return pid;
  }

  get isRunning(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** A position in the log, for `linesSince`. */
  get position(): number {
    return this.#dropped + this.#lines.length;
  }

  linesSince(position: number): readonly LogLine[] {
    return this.#lines.slice(Math.max(0, position - this.#dropped));
  }

  async start(): Promise<void> {
    const from = this.position;
    await writeFile(this.#clockFile, '0');
    const args = ['--import', CLOCK, PROGRAM, 'agent', '--config', this.#configFile];
    const child = spawn(process.execPath, args, {
      cwd: '/',
      env: { ...environment(), TEST_CLOCK_FILE: this.#clockFile },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    this.#isMeantToEnd = false;
    child.once('exit', (code, signal) => {
      if (!this.#isMeantToEnd && this.#child === child)
        this.#unexpectedEnds.push(`the agent ended with ${signal ?? code}`);
    });
    for (const output of [child.stdout, child.stderr]) {
      createInterface({ input: output }).on('line', (line) => this.#note(line));
    }
    const deadline = Date.now() + START_TIMEOUT_MS;
    while (!this.linesSince(from).some(({ msg }) => msg === 'agent started')) {
      if (!this.isRunning || Date.now() > deadline) {
        throw new Error(`the agent did not start: ${JSON.stringify(this.linesSince(from).slice(-3))}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** Changes the agent's clock. */
  async shiftClock(byMs: number): Promise<void> {
    await writeFile(this.#clockFile, String(byMs));
    process.kill(this.pid, 'SIGUSR2');
  }

  /** Says that the next end of the agent is intended. */
  expectEnd(): void {
    this.#isMeantToEnd = true;
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    this.expectEnd();
    const child = this.#child;
    if (child === undefined || !this.isRunning) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  }

  /** The unintended ends since the last call. */
  takeUnexpectedEnds(): readonly string[] {
    const ends = this.#unexpectedEnds;
    this.#unexpectedEnds = [];
    return ends;
  }

  /** Linux only; elsewhere undefined. */
  async usage(): Promise<{ rssBytes: number; descriptors: number } | undefined> {
    try {
      const status = await readFile(`/proc/${this.pid}/status`, 'utf8');
      const descriptors = (await readdir(`/proc/${this.pid}/fd`)).length;
      return { rssBytes: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024, descriptors };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  #note(line: string): void {
    this.#lines.push(parseLine(line));
    if (this.#lines.length <= 2 * MAX_LINES) return;
    this.#dropped += MAX_LINES;
    this.#lines.splice(0, MAX_LINES);
  }
}

function parseLine(line: string): LogLine {
  try {
    return JSON.parse(line) as LogLine;
  } catch {
    // A line of Node.js itself, when the process ends with an error.
    return { msg: line, level: 60 };
  }
}

/** Without the user's AWS settings: the agent must never reach a real account. */
function environment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('AWS_')));
}
