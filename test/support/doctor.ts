import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LocalStack } from '@sluice/local';
import { changedConfig, type ConfigChanges } from './changed-config.ts';
import { runClient } from './clients.ts';

const PROGRAM = fileURLToPath(new URL('../../packages/sluice/bin/sluice.js', import.meta.url));

export interface Check {
  name: string;
  status: 'ok' | 'warning' | 'failed' | 'skipped';
  found: string;
  mend?: string;
}

export interface Diagnosis {
  exitStatus: number | null;
  checks: Map<string, Check>;
  /** The names of the checks that failed. */
  failed: string[];
}

export interface DoctorCall {
  /** Changes to the stack's own sluice.toml. */
  config?: ConfigChanges;
  target?: string;
  /** @default the stack's database */
  database?: string;
  args?: readonly string[];
  env?: Readonly<Record<string, string>>;
}

/** Runs `sluice doctor` against a local stack, with the agent's sluice.toml and the changes of a test. */
export class Doctor implements AsyncDisposable {
  readonly #stack: LocalStack;
  readonly #directory: string;

  private constructor(stack: LocalStack, directory: string) {
    this.#stack = stack;
    this.#directory = directory;
  }

  static async of(stack: LocalStack): Promise<Doctor> {
    return new Doctor(stack, await mkdtemp(join(tmpdir(), 'sluice-doctor-')));
  }

  async diagnose(call: DoctorCall = {}): Promise<Diagnosis> {
    const { status, stdout, stderr } = await this.run({ ...call, args: ['--json', ...(call.args ?? [])] });
    if (stderr !== '') throw new Error(`sluice doctor wrote to standard error: ${stderr}`);
    const { checks, ok } = JSON.parse(stdout) as { checks: Check[]; ok: boolean };
    if (ok !== (status === 0)) throw new Error(`"ok" is ${ok}, and the exit status ${status}`);
    return {
      exitStatus: status,
      checks: new Map(checks.map((check) => [check.name, check])),
      failed: checks.filter((check) => check.status === 'failed').map(({ name }) => name),
    };
  }

  async run({ config = {}, target, database = this.#stack.postgres.url, args = [], env = {} }: DoctorCall) {
    const file = await this.#writeConfig(config);
    const command = ['doctor', ...(target === undefined ? [] : [target]), '--config', file];
    return runClient(process.execPath, [PROGRAM, ...command, '--database', database, ...args], {
      // The process must not find any AWS credentials of this machine.
      env: {
        AWS_EC2_METADATA_DISABLED: 'true',
        AWS_CONFIG_FILE: '/none',
        AWS_SHARED_CREDENTIALS_FILE: '/none',
        ...env,
      },
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#directory, { recursive: true, force: true });
  }

  async #writeConfig(changes: ConfigChanges): Promise<string> {
    const config = changedConfig(await readFile(join(this.#stack.directory, 'sluice.toml'), 'utf8'), changes);
    const file = join(this.#directory, 'sluice.toml');
    await writeFile(file, config);
    return file;
  }
}
