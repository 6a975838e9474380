import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import type { Finished } from './clients.ts';
import type { TestStack } from './test-stack.ts';

const PROGRAM = fileURLToPath(new URL('../../packages/sluice/bin/sluice.js', import.meta.url));

/** A `sluice ...` that runs. */
export interface RunningCommand {
  child: ChildProcess;
  finished: Promise<Finished>;
}

export interface CommandOptions {
  input?: string;
  env?: Readonly<Record<string, string>>;
}

/** Starts `sluice` with the AWS settings of a stack. */
export function startSluice(
  { stack }: TestStack,
  args: readonly string[],
  { input = '', env = {} }: CommandOptions = {},
): RunningCommand {
  const { endpoint, region, accessKeyId, secretAccessKey } = stack.aws;
  const own = Object.entries(process.env).filter(([name]) => !/^(?:AWS|PG)/.test(name));
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    env: {
      ...Object.fromEntries(own),
      // The process must not find any AWS credentials of this machine.
      AWS_EC2_METADATA_DISABLED: 'true',
      AWS_CONFIG_FILE: '/none',
      AWS_SHARED_CREDENTIALS_FILE: '/none',
      AWS_ENDPOINT_URL_S3: endpoint,
      AWS_REGION: region,
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: secretAccessKey,
      ...env,
    },
  });
  child.stdin.end(input);
  const finished = Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]).then(
    ([stdout, stderr]) => ({ status: child.exitCode, stdout, stderr }),
  );
  return { child, finished };
}

/** Runs it to its end. */
export function runSluice(
  testStack: TestStack,
  args: readonly string[],
  options?: CommandOptions,
): Promise<Finished> {
  return startSluice(testStack, args, options).finished;
}

/** Starts `sluice export`. */
export function startExport(
  testStack: TestStack,
  args: readonly string[],
  options?: CommandOptions,
): RunningCommand {
  return startSluice(testStack, ['export', ...args], options);
}

/** Runs it to its end. */
export function runExport(
  testStack: TestStack,
  args: readonly string[],
  options?: CommandOptions,
): Promise<Finished> {
  return startExport(testStack, args, options).finished;
}
