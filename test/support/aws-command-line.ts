import { execFile } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The first release of each major version that reads AWS_ENDPOINT_URL. */
const READS_ENDPOINT_URL: Readonly<Record<number, number>> = { 1: 29, 2: 13 };

export interface AwsAccessKey {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string | undefined;
}

/**
 * The aws command line in its own directory, with the environment variables that `sluice local` tells its user to set.
 */
export class AwsCommandLine implements AsyncDisposable {
  readonly directory: string;
  readonly #environment: Readonly<Record<string, string>>;

  private constructor(directory: string, environment: Readonly<Record<string, string>>) {
    this.directory = directory;
    this.#environment = environment;
  }

  static async at(
    { endpoint, region }: { endpoint: string; region: string },
    key: AwsAccessKey,
  ): Promise<AwsCommandLine> {
    const { stdout: version } = await run('aws', ['--version']);
    const directory = await mkdtemp(join(tmpdir(), 'sluice-aws-'));
    const path = process.env['PATH'] ?? '';
    const needsArgument = !readsEndpointUrl(version);
    if (needsArgument) await writeWrapper(directory, path);
    return new AwsCommandLine(directory, {
      PATH: needsArgument ? directory + delimiter + path : path,
      HOME: directory,
      AWS_ENDPOINT_URL: endpoint,
      AWS_DEFAULT_REGION: region,
      AWS_CONFIG_FILE: '/dev/null',
      AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
      AWS_PAGER: '',
      ...environmentOf(key),
    });
  }

  /**
   * Runs a shell command and gives its output. Not synchronously, because the local AWS runs in this process.
   *
   * @throws the error of execFile when the status is not 0, with `stderr`
   */
  async type(line: string, key?: AwsAccessKey): Promise<string> {
    return this.#run('sh', ['-c', line], key);
  }

  /** Like `type`, for one command with its arguments. */
  async aws(args: readonly string[], key?: AwsAccessKey): Promise<string> {
    return this.#run('aws', args, key);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
  }

  async #run(program: string, args: readonly string[], key: AwsAccessKey | undefined): Promise<string> {
    const env = { ...this.#environment, ...(key === undefined ? {} : environmentOf(key)) };
    const { stdout } = await run(program, args, { cwd: this.directory, env });
    return stdout;
  }
}

function environmentOf({ accessKeyId, secretAccessKey, sessionToken }: AwsAccessKey): Record<string, string> {
  return {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    ...(sessionToken === undefined ? {} : { AWS_SESSION_TOKEN: sessionToken }),
  };
}

function readsEndpointUrl(version: string): boolean {
  const [, major, minor] = /^aws-cli\/(\d+)\.(\d+)\./.exec(version) ?? [];
  if (major === undefined) throw new Error(`aws --version printed ${JSON.stringify(version)}`);
  return Number(minor) >= (READS_ENDPOINT_URL[Number(major)] ?? 0);
}

/** For older versions: does the same as the alias that `sluice local` prints. */
async function writeWrapper(directory: string, path: string): Promise<void> {
  const file = join(directory, 'aws');
  await writeFile(file, `#!/bin/sh\nPATH='${path}' exec aws --endpoint-url "$AWS_ENDPOINT_URL" "$@"\n`);
  await chmod(file, 0o755);
}
