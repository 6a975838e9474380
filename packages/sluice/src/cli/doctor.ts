import { Command, InvalidArgumentError } from 'commander';
import type { DoctorOptions } from '../doctor/examine.ts';
import { osUserName } from '../os-user-name.ts';
import { validateRegion } from '../s3/s3-uri.ts';
import { formatJson, formatResult, formatSummary } from './doctor-report.ts';
import { parseS3Uri, refuseInvalid } from './parse-s3-uri.ts';

interface Flags {
  config: string;
  database?: string;
  region?: string;
  json?: boolean;
}

/** The variables of PostgreSQL's own programs that choose a database. */
const DATABASE_VARIABLES = ['PGHOST', 'PGPORT', 'PGDATABASE', 'PGUSER'];

export function doctorCommand(): Command {
  return (
    new Command('doctor')
      .description('walk the way of an export step by step, and say what is broken and how to mend it')
      .argument('[s3-uri]', 'also try an upload to s3://bucket/prefix', parseTarget)
      .option('-c, --config <file>', "the agent's configuration file", '/etc/sluice/sluice.toml')
      .option(
        '--database <url>',
        'also look at this database, postgresql://user@host/database; without it PGHOST, PGDATABASE... name one',
        parseDatabase,
      )
      .option('--region <region>', "the bucket's Region, as the region argument of an export", parseRegion)
      .option('--json', 'print one JSON document: {version, ok, checks: [{name, status, found, mend}]}')
      .addHelpText(
        'after',
        `
Run it on the database host, as the operating system user of the agent (or root), with the agent's environment: what it
finds is then what the agent finds. A check is ok, has a warning, failed, or was skipped for want of another.

The upload is an object <prefix>sluice-doctor-<random>, which is deleted again if the role may; then a multipart upload,
which is aborted. What is left behind is named.

Exit status: 0 nothing failed, 1 something failed, 2 wrong command line.

Examples:
  sudo -u postgres sluice doctor s3://sample-bucket/exports/ --database 'postgresql:///sales?host=/var/run/postgresql'
  PGDATABASE=sales sluice doctor s3://sample-bucket/ --region eu-central-1 --json`,
      )
      .showHelpAfterError('(sluice doctor --help shows the options)')
      // A wrong command line has its own exit status, 2.
      .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
      .action(async (target: DoctorOptions['target'], flags: Flags) => {
        process.exitCode = await runDoctor(target, flags);
      })
  );
}

/** @returns the exit status */
async function runDoctor(target: DoctorOptions['target'], flags: Flags): Promise<number> {
  // Imported here, so that the other commands do not load PostgreSQL's driver.
  const { CHECK_NAMES, examine } = await import('../doctor/examine.ts');
  const { config: configFile, region, json = false } = flags;
  const interruption = new AbortController();
  const interrupt = (): void => interruption.abort();
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt);
  const layout = {
    nameWidth: Math.max(...CHECK_NAMES.map(({ length }) => length)),
    isColoured: process.stdout.isTTY && process.env['NO_COLOR'] === undefined,
  };
  try {
    const results = await examine(
      { configFile, database: databaseSettings(flags), target, region },
      {
        signal: interruption.signal,
        onResult: (result) => {
          if (!json) process.stdout.write(formatResult(result, layout));
        },
      },
    );
    process.stdout.write(json ? formatJson(results) : formatSummary(results));
    const isWell = results.every(({ status }) => status !== 'failed') && !interruption.signal.aborted;
    return isWell ? 0 : 1;
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  }
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

function parseDatabase(url: string): string {
  if (!/^postgres(?:ql)?:\/\//.test(url) || !URL.canParse(url)) {
    throw new InvalidArgumentError('Expected a URL such as postgresql://user@host:5432/database.');
  }
  return url;
}
