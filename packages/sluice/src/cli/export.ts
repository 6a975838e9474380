import { availableParallelism } from 'node:os';
import { Command, InvalidArgumentError, Option } from 'commander';
import { parseSize } from '../config/quantity.ts';
import type { CompressionFormat } from '../compression/compression.ts';
import type { IfExists } from '../outside/destination.ts';
import { validateRegion } from '../s3/s3-uri.ts';
import { parseS3Uri, refuseInvalid } from './parse-s3-uri.ts';

export interface ExportFlags {
  database?: string;
  table?: string[];
  query?: string;
  options?: string;
  splitBy?: string;
  jobs: number;
  compression?: CompressionFormat;
  fileSize?: number;
  manifest?: boolean;
  ifExists: IfExists;
  region?: string;
  endpoint?: string;
  profile?: string;
  kmsKey?: string;
  dryRun?: boolean;
  json?: boolean;
  quiet?: boolean;
}

/** One session formats 250 to 350 MB/s; more than a few are for the database's owner to allow. */
const MOST_JOBS_BY_DEFAULT = 4;
const MOST_JOBS = 1_000;
/** What an export appends to the path at most: a folder of two names with every character escaped, and a file's name. */
const LONGEST_SUFFIX = 'x'.repeat(20);

export function exportCommand(): Command {
  return (
    new Command('export')
      .description('export tables or a query to Amazon S3 from any PostgreSQL that can be reached')
      .argument(
        '<s3-uri>',
        'where to: s3://bucket/prefix/ for tables, s3://bucket/path for a query',
        (uri: string) => parseS3Uri(uri, LONGEST_SUFFIX),
      )
      .option(
        '-d, --database <url>',
        'postgresql://user@host:5432/database; without it PGHOST, PGDATABASE, PGSERVICE... as with psql',
      )
      .option(
        '-t, --table <pattern>',
        "a table, view, materialized view or partitioned table, or a pattern as of pg_dump: 'archive.*'; may be repeated",
        collect,
      )
      .option('-q, --query <sql>', 'a query, alone or beside tables; - reads it from standard input')
      .option('-o, --options <options>', "COPY's options, such as 'format csv, header true'")
      .option(
        '--split-by <column>',
        'read a query, view or table in ranges of this column, with several sessions',
      )
      .option(
        '-j, --jobs <number>',
        'sessions that read at a time',
        parseJobs,
        Math.min(availableParallelism(), MOST_JOBS_BY_DEFAULT),
      )
      .addOption(
        new Option(
          '--compression <method>',
          'compress each file (zstd needs Node.js 22.15 or newer)',
        ).choices(['gzip', 'zstd']),
      )
      .option(
        '--file-size <size>',
        'about how large a file is before compression (default: 256MiB)',
        parseFileSize,
      )
      .option('--manifest', 'write <prefix>manifest.json last, which names every file (default for tables)')
      .option('--no-manifest', 'do not write it')
      .addOption(
        new Option(
          '--if-exists <what>',
          'when the destination holds objects: fail, overwrite those with the same keys, or clean: also delete the others',
        )
          .choices(['fail', 'overwrite', 'clean'])
          .default('fail'),
      )
      .option('--region <region>', "the bucket's Region (default: AWS_REGION, or the profile's)", parseRegion)
      .option('--endpoint <url>', 'an S3-compatible store (default: AWS_ENDPOINT_URL_S3, or Amazon S3)')
      .option('--profile <name>', 'the profile of the shared AWS configuration files')
      .option('--kms-key <key>', 'encrypt with this AWS KMS key: its ID, ARN or alias')
      .option(
        '--dry-run',
        'say what would be exported and how it is cut; the tables and the destination are looked at, no row is read',
      )
      .option('--json', 'print events as JSON, one a line')
      .option('--quiet', 'print nothing but errors')
      .addHelpText(
        'after',
        `
All tables of an export are read on one snapshot of the database, and either all files appear or none: every file is
uploaded first, then all are published, the manifest last. Rows never touch the disk of this machine.

Files: <prefix><schema>.<table>/part-00000.csv[.gz]. A query alone goes to the path as it is; beside tables, with
--split-by, or where the path ends with a slash, to <path>query/part-00000.csv.

Exit status: 0 exported, 1 failed (nothing was exported), 2 wrong command line, 130 interrupted by Ctrl-C,
129 by SIGHUP, 143 by SIGTERM.

Examples:
  sluice export s3://sample-bucket/sales/ -d postgresql://reader@db.example/sales -t public.orders -t 'archive.*' -j 8
  sluice export s3://sample-bucket/report.csv -q 'SELECT * FROM report' -o 'format csv, header true'
  PGSERVICE=sales sluice export s3://sample-bucket/sales/ -t '*' --compression gzip --if-exists clean`,
      )
      .showHelpAfterError('(sluice export --help shows the options)')
      // A wrong command line has a status of its own: 2, as everywhere.
      .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
      .action(async (destination: { bucket: string; path: string }, flags: ExportFlags, command: Command) => {
        const problem = findProblem(flags);
        if (problem !== undefined) command.error(`error: ${problem}`);
        // With what it needs: other commands need not pay for it.
        const { runExport } = await import('./run-export.ts');
        process.exitCode = await runExport(destination, flags);
      })
  );
}

function findProblem({ table = [], query, splitBy }: ExportFlags): string | undefined {
  if (table.length === 0 && query === undefined) return 'give --table or --query: what is to be exported?';
  if (splitBy === '') return '--split-by needs the name of a column';
  return undefined;
}

function collect(value: string, previous: string[] = []): string[] {
  return [...previous, value];
}

function parseJobs(text: string): number {
  const jobs = Number(text);
  if (Number.isInteger(jobs) && jobs >= 1 && jobs <= MOST_JOBS) return jobs;
  throw new InvalidArgumentError(`Expected a whole number from 1 to ${MOST_JOBS}.`);
}

function parseFileSize(text: string): number {
  const bytes = parseSize(text);
  if (bytes !== undefined && bytes >= 1024 ** 2 && bytes <= 5 * 1024 ** 4) return bytes;
  throw new InvalidArgumentError('Expected a size such as "256MiB", from "1MiB" to "5TiB".');
}

function parseRegion(region: string): string {
  refuseInvalid(() => validateRegion(region));
  return region;
}
