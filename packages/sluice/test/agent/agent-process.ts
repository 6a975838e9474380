import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { stringify } from 'smol-toml';
import type { AgentConnection, AgentFixture } from './agent-fixture.ts';

const PROGRAM = fileURLToPath(new URL('../../bin/sluice.js', import.meta.url));
const FAULTS = new URL('./faults-preload.mjs', import.meta.url).href;
const CLOCK = new URL('../../../../test/support/shifted-clock.mjs', import.meta.url).href;
const START_TIMEOUT_MS = 20_000;

/** `sluice agent` as a separate process, with the S3 and STS of a fixture. */
export class AgentProcess implements AsyncDisposable {
  readonly directory: string;
  readonly #child: ChildProcess;
  /** The output; empty when the log goes to another descriptor. */
  readonly #output: Promise<string>;
  readonly #fixture: AgentFixture;

  private constructor(child: ChildProcess, fixture: AgentFixture, directory: string) {
    this.#child = child;
    this.#output = child.stdout === null ? Promise.resolve('') : text(child.stdout);
    this.#fixture = fixture;
    this.directory = directory;
  }

  /**
   * @param options.fault the fault that SIGUSR2 causes in it
   * @param options.clockShiftMs how far its clock is wrong, instead of a fault
   * @param options.log the file descriptor for its log
   */
  static async start(
    fixture: AgentFixture,
    {
      fault = 'exception',
      clockShiftMs,
      log = 'pipe',
    }: { fault?: 'exception' | 'rejection'; clockShiftMs?: number; log?: number | 'pipe' } = {},
  ): Promise<AgentProcess> {
    const directory = join(fixture.directory, `process-${fault}`);
    const config = fixture.configOf(directory);
    const file = `${directory}.toml`;
    await writeFile(file, stringify(config));
    const clockFile = `${directory}.clock`;
    await writeFile(clockFile, String(clockShiftMs ?? 0));
    const preload = clockShiftMs === undefined ? FAULTS : CLOCK;
    const child = spawn(process.execPath, ['--import', preload, PROGRAM, 'agent', '--config', file], {
      env: { ...process.env, TEST_FAULT: fault, TEST_CLOCK_FILE: clockFile },
      stdio: ['ignore', log, 'inherit'],
    });
    const agent = new AgentProcess(child, fixture, directory);
    const giveUpAt = Date.now() + START_TIMEOUT_MS;
    for (;;) {
      try {
        await (await agent.connect()).end();
        return agent;
      } catch (error) {
        if (Date.now() > giveUpAt || child.exitCode !== null) throw error;
        await delay(50);
      }
    }
  }

  connect(): Promise<AgentConnection> {
    return this.#fixture.connect(join(this.directory, 'run'));
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Waits until the process has ended by itself. */
  async ended(): Promise<{ status: number | null; output: string }> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'exit');
    return { status: this.#child.exitCode, output: await this.#output };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.ended();
  }
}
