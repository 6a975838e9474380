import { Command } from 'commander';
import type { DoctorOptions } from '../doctor/examine.ts';
import type { CheckResult, WalkOptions } from '../doctor/walk.ts';
import { osUserName } from '../os-user-name.ts';
import { validateRegion } from '../s3/s3-uri.ts';
import { connectAsAwsCli, type AwsFlags } from './aws-settings.ts';
import { formatJson, formatResult, formatSummary } from './doctor-report.ts';
import { collect, DEFAULT_JOBS, parseJobs } from './export.ts';
import { parseS3Uri, refuseInvalid } from './parse-s3-uri.ts';

interface Flags extends AwsFlags {
  config: string;
  database?: string;
  json?: boolean;
  fromOutside?: boolean;
  table?: string[];
  jobs: number;
}

/** Exports have longer timeouts and more attempts; a person waits for the doctor. */
const PATIENCE = { connectTimeoutMs: 5_000, requestTimeoutMs: 10_000, maxAttempts: 2 };

/** The variables of PostgreSQL's own programs that choose a database. */
const DATABASE_VARIABLES = ['PGHOST', 'PGPORT', 'PGDATABASE', 'PGUSER'];

export function doctorCommand(): Command {
  return (
    new Command('doctor')
      .description('walk the way of an export step by step, and say what is broken and how to mend it')
      .argument('[s3-uri]', 'also try an upload to s3://bucket/prefix', parseTarget)
      .option('-c, --config <file>', "the agent's configuration file", '/etc/sluice/sluice.toml')
      .option(
        '-d, --database <url>',
        'also look at this database, postgresql://user@host/database; without it PGHOST, PGDATABASE... name one',
      )
      .option('--region <region>', "the bucket's Region, as the region argument of an export", parseRegion)
      .option('--json', 'print one JSON document: {version, ok, checks: [{name, status, found, mend}]}')
      .optionsGroup('For sluice export:')
      .option('--from-outside', 'look at what sluice export needs, and at no agent')
      .option('-t, --table <pattern>', 'also look at the rights on these tables; may be repeated', collect)
      .option('-j, --jobs <number>', 'sessions that would read at a time', parseJobs, DEFAULT_JOBS)
      .option('--endpoint <url>', 'an S3-compatible store (default: AWS_ENDPOINT_URL_S3, or Amazon S3)')
      .option('--profile <name>', 'the profile of the shared AWS configuration files')
      .addHelpText(
        'after',
        `
For exports by SQL, run it on the database host, as the operating system user
of the agent (or root), with the agent's environment: what it finds is then
what the agent finds. For sluice export, run it with --from-outside where that
will run. A check is ok, has a warning, failed, or was skipped for want of
another.

The upload is an object <prefix>sluice-doctor-<random>, which is deleted again
if the role may; then a multipart upload, which is aborted. What is left behind
is named.

Exit status: 0 nothing failed, 1 something failed, 2 wrong command line.

Examples:
  sudo -u postgres sluice doctor s3://sample-bucket/exports/ \\
    --database 'postgresql:///sales?host=/var/run/postgresql'
  PGDATABASE=sales sluice doctor s3://sample-bucket/ --json
  sluice doctor --from-outside s3://sample-bucket/sales/ -t 'public.*' -j 8 \\
    -d postgresql://reader@db.example/sales`,
      )
      .showHelpAfterError('(sluice doctor --help shows the options)')
      // A wrong command line has its own exit status, 2.
      .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
      .action(async (target: DoctorOptions['target'], flags: Flags, command: Command) => {
        const isGiven = (name: keyof Flags) => command.getOptionValueSource(name) === 'cli';
        const problem = findProblem(flags, isGiven);
        if (problem !== undefined) command.error(`error: ${problem}`);
        process.exitCode = await runDoctor(target, flags);
      })
  );
}

function findProblem(flags: Flags, isGiven: (name: keyof Flags) => boolean): string | undefined {
  if (flags.fromOutside === true) {
    return isGiven('config') ? '--config is of the agent: not with --from-outside' : undefined;
  }
  const [outside] = (['table', 'jobs', 'endpoint', 'profile'] as const).filter(isGiven);
  if (outside !== undefined) return `--${outside} is for sluice export: give --from-outside, too`;
  if (flags.database !== undefined && !isUrl(flags.database)) {
    return `invalid --database: expected a URL such as postgresql://user@host:5432/database`;
  }
  return undefined;
}

/** @returns the exit status */
async function runDoctor(target: DoctorOptions['target'], flags: Flags): Promise<number> {
  const { json = false } = flags;
  const interruption = new AbortController();
  const interrupt = (): void => interruption.abort();
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  try {
    const { names, examine } = await (flags.fromOutside === true ? ofExport : ofSqlExport)(target, flags);
    const layout = {
      nameWidth: Math.max(...names.map(({ length }) => length)),
      isColoured: process.stdout.isTTY && process.env['NO_COLOR'] === undefined,
    };
    const results = await examine({
      signal: interruption.signal,
      onResult: (result) => {
        if (!json) process.stdout.write(formatResult(result, layout));
      },
    });
    process.stdout.write(json ? formatJson(results) : formatSummary(results));
    const isWell = results.every(({ status }) => status !== 'failed') && !interruption.signal.aborted;
    return isWell ? 0 : 1;
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  }
}

interface Examination {
  names: readonly string[];
  examine: (options: WalkOptions) => Promise<readonly CheckResult[]>;
}

/** Of an export by SQL. Imported here, so that the other commands do not load PostgreSQL's driver. */
async function ofSqlExport(target: DoctorOptions['target'], flags: Flags): Promise<Examination> {
  const { CHECK_NAMES, examine } = await import('../doctor/examine.ts');
  const { config: configFile, region } = flags;
  const options = { configFile, database: databaseSettings(flags), target, region };
  return { names: CHECK_NAMES, examine: (walkOptions) => examine(options, walkOptions) };
}

/** Of `sluice export`. */
async function ofExport(target: DoctorOptions['target'], flags: Flags): Promise<Examination> {
  const { OUTSIDE_CHECK_NAMES, examineOutside } = await import('../doctor/examine-outside.ts');
  const { database, table: tables, jobs } = flags;
  const connectToS3 = () => connectAsAwsCli(flags, PATIENCE);
  const options = { database, tables, jobs, target, connectToS3 };
  return { names: OUTSIDE_CHECK_NAMES, examine: (walkOptions) => examineOutside(options, walkOptions) };
}

/** The driver takes from the PG* variables what the URL does not contain. */
function databaseSettings({ database }: Flags): DoctorOptions['database'] {
  const isNamed =
    database !== undefined || DATABASE_VARIABLES.some((name) => process.env[name] !== undefined);
  if (!isNamed) return undefined;
  // psql also takes the operating system's name of the user, and not the variable USER, which may be missing.
  const user = osUserName();
  if (user !== undefined) process.env['PGUSER'] ??= user;
  return database === undefined ? {} : { connectionString: database };
}

function parseTarget(uri: string): DoctorOptions['target'] {
  const { bucket, path: prefix } = parseS3Uri(uri, 'sluice-doctor-000000000000');
  return { bucket, prefix };
}

function parseRegion(region: string): string {
  refuseInvalid(() => validateRegion(region));
  return region;
}

function isUrl(text: string): boolean {
  return /^postgres(?:ql)?:\/\//.test(text) && URL.canParse(text);
}
