import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const PROGRAM = join(import.meta.dirname, '../../packages/sluice/bin/sluice.js');
const CLOCK = new URL('../support/shifted-clock.mjs', import.meta.url).href;
const START_TIMEOUT_MS = 30_000;
/** Lines of the log that are kept. */
const MAX_LINES = 20_000;

/** One line of the agent's log. */
export type LogLine = Readonly<Record<string, unknown>> & { msg?: string; level?: number };

/**
 * An agent that is a child of the test, and not of the stack, whose supervisor starts a killed one with growing
 * delays. Its log comes through a pipe, so that a full disk does not silence it.
 */
export class OwnAgent {
  readonly #configFile: string;
  /** How far its clock is off, in milliseconds. */
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

  /** Marks a place in the log. */
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

  /** Sets its clock. */
  async shiftClock(byMs: number): Promise<void> {
    await writeFile(this.#clockFile, String(byMs));
    process.kill(this.pid, 'SIGUSR2');
  }

  /** The next end is what the test wants. */
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

  /** Ends that nobody wanted since the last time. */
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
    // What Node itself says when it ends.
    return { msg: line, level: 60 };
  }
}

/** Without AWS settings of the user's: the agent must never reach a real account. */
function environment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('AWS_')));
}
