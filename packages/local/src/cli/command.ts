import process from 'node:process';
import { Command, InvalidArgumentError, Option } from 'commander';
import { LocalError } from '../errors.ts';
import { POSTGRES_MAJORS, isPostgresMajor } from '../postgres/versions.ts';
import { startLocal, type LocalStack } from '../stack/start-local.ts';
import { nextSteps, readyLine } from './next-steps.ts';
import { describeError } from './describe-error.ts';
import { untilStopSignal } from './stop-signals.ts';

/** The default ports; if one is taken, another port is used. */
const PREFERRED_PORTS = { postgres: 5432, aws: 4566 };

interface Flags {
  pgVersion: number;
  dir: string;
  pgPort: number;
  awsPort: number;
  region: string;
  json?: boolean;
  outliveNpm?: boolean;
}

/** The command `sluice local`, also installed as `sluice-local`. */
export function localCommand(): Command {
  return (
    new Command('local')
      .description('Run a real PostgreSQL with aws_s3 and a local Amazon S3, until Ctrl-C.')
      .addOption(
        new Option('--pg-version <major>', `PostgreSQL version: ${POSTGRES_MAJORS.join(', ')}`)
          .argParser(parseMajor)
          .default(18),
      )
      .option('--dir <path>', 'keep data, keys, objects and logs here', '.sluice')
      .option('--pg-port <port>', "PostgreSQL's port, if it is free", parsePort, PREFERRED_PORTS.postgres)
      .option('--aws-port <port>', "the local AWS's port, if it is free", parsePort, PREFERRED_PORTS.aws)
      .option('--region <region>', 'AWS Region of the cluster and the local AWS', 'us-west-2')
      .option('--outlive-npm', 'go on when the npm that runs this ends')
      .option('--json', 'when ready, print one line of JSON, and nothing else, on standard output')
      .addHelpText(
        'after',
        `
SIGINT (Ctrl-C), SIGTERM and SIGHUP stop everything in order; a second one hurries. Run by npm (npx, or a script of
package.json), it also stops when that npm has ended, since npm does not pass every signal on. Only npm is watched:
"nohup npx sluice local &" goes on when its terminal is closed. In a script that ends before it ("sluice local &"), give
--outlive-npm.`,
      )
      .showHelpAfterError()
      // A wrong command line has its own exit status, 2.
      .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
      .action(async (flags: Flags) => {
        process.exitCode = await runLocal(flags);
      })
  );
}

/** @returns the exit status */
async function runLocal({ json = false, outliveNpm = false, pgVersion, ...flags }: Flags): Promise<number> {
  const log = (line: string) => process.stderr.write(`sluice local: ${line}\n`);
  // If the reader of our output has gone, writing fails. That is ignored, so that everything is still stopped in order.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  using stopSignals = untilStopSignal(log, { outlivesNpm: outliveNpm });
  let stack: LocalStack;
  try {
    if (!isPostgresMajor(pgVersion)) throw new LocalError('invalid_option', `no PostgreSQL ${pgVersion}`);
    log(`starting PostgreSQL ${pgVersion}, the local AWS and the agent in ${flags.dir}`);
    stack = await startLocal({ ...flags, pgVersion, log }, { signal: stopSignals.first });
  } catch (error) {
    if (stopSignals.first.aborted) return 0;
    process.stderr.write(describeError(error));
    return 1;
  }
  process.stdout.write(json ? readyLine(stack) : nextSteps(stack));
  const failure = await Promise.race([stack.failed, stopSignals.arrived]);
  if (failure !== undefined) process.stderr.write(describeError(failure));
  try {
    await stack.stop({ hurry: stopSignals.second });
  } catch (error) {
    process.stderr.write(describeError(error));
    return 1;
  }
  log('stopped');
  return failure === undefined ? 0 : 1;
}

function parseMajor(text: string): number {
  const major = Number(text);
  if (!isPostgresMajor(major))
    throw new InvalidArgumentError(`Expected one of ${POSTGRES_MAJORS.join(', ')}.`);
  return major;
}

function parsePort(text: string): number {
  if (!/^\d+$/.test(text) || Number(text) > 65_535) {
    throw new InvalidArgumentError('Expected a port from 1 to 65535, or 0 for any free one.');
  }
  return Number(text);
}
