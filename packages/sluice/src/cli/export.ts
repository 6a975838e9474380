import { availableParallelism } from 'node:os';
import { Command, InvalidArgumentError, Option } from 'commander';
import { parseSize } from '../config/quantity.ts';
import type { CompressionFormat } from '../compression/compression.ts';
import type { IfExists } from '../outside/destination.ts';
import type { HeaderIn } from '../outside/piece-copy.ts';
import { validateMetadata } from '../s3/object-metadata.ts';
import { validateObjectSettings } from '../s3/object-settings.ts';
import { validateTags } from '../s3/object-tags.ts';
import { validateRegion } from '../s3/s3-uri.ts';
import { collectPairs, type Pairs } from './collect-pairs.ts';
import { isOneFile, type Destination } from './export-destination.ts';
import { loadFleet } from './fleet.ts';
import { findFleetProblem, parsePriority } from './fleet-flags.ts';
import { parseS3Uri, refuseInvalid } from './parse-s3-uri.ts';

export interface ExportFlags {
  database?: string;
  table?: string[];
  query?: string;
  options?: string;
  headerIn?: HeaderIn;
  splitBy?: string;
  jobs: number;
  compression?: CompressionFormat;
  fileSize?: number;
  memory?: number;
  manifest?: boolean;
  ifExists: IfExists;
  region?: string;
  endpoint?: string;
  profile?: string;
  kmsKey?: string;
  storageClass?: string;
  tag?: Pairs;
  metadata?: Pairs;
  dryRun?: boolean;
  json?: boolean;
  quiet?: boolean;
  fleet?: string;
  source?: string;
  detach?: boolean;
  priority?: number;
}

/** One session formats 250 to 350 MB/s; more than a few are for the database's owner to allow. */
const MOST_JOBS_BY_DEFAULT = 4;
export const DEFAULT_JOBS = Math.min(availableParallelism(), MOST_JOBS_BY_DEFAULT);
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
      .addOption(
        new Option(
          '--header-in <files>',
          "where the header goes that COPY's options ask for: each file (default), or the first of each table",
        ).choices(['each', 'first']),
      )
      .option(
        '--split-by <column>',
        'read a query, view or table in ranges of this column, with several sessions',
      )
      .option('-j, --jobs <number>', 'sessions that read at a time', parseJobs, DEFAULT_JOBS)
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
      .option(
        '--memory <size>',
        'for what is read and not yet uploaded; more helps a fast network whose S3 answers late (default: 56MiB)',
        parseMemory,
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
        '--storage-class <class>',
        'store the files in this class, such as STANDARD_IA; the manifest stays in STANDARD',
        parseStorageClass,
      )
      .option(
        '--tag <key=value>',
        'give each object this tag; may be repeated (needs s3:PutObjectTagging)',
        collectPairs(validateTags),
      )
      .option(
        '--metadata <key=value>',
        'give each object this metadata (x-amz-meta-*); may be repeated',
        collectPairs(validateMetadata),
      )
      .option(
        '--dry-run',
        'say what would be exported and how it is cut; the tables and the destination are looked at, an upload is opened and aborted at once to try the rights on the bucket, no row is read',
      )
      .option('--json', 'print events as JSON, one a line')
      .option('--quiet', 'print nothing but errors')
      .optionsGroup('On a fleet of workers, instead of this machine:')
      .option('--fleet <file>', "the fleet's fleet.toml")
      .option('--source <name>', 'what to export from: one of [sources] in it')
      .option('--detach', "do not wait for the end, but print the export's id, for sluice fleet show")
      .option(
        '--priority <number>',
        'among the exports that wait for the same source, 1 is the first (default: 100)',
        parsePriority,
      )
      .addHelpText(
        'after',
        `
All tables of an export are read on one snapshot of the database, and either
all files appear or none: every file is uploaded first, then all are published,
the manifest last. Rows never touch the disk of this machine.

Files: <prefix><schema>.<table>/part-00000.csv[.gz]. A query alone goes to the
path as it is; beside tables, with --split-by, or where the path ends with a
slash, to <path>query/part-00000.csv.

Exit status: 0 exported, 1 failed (nothing was exported), 2 wrong command line,
130 interrupted by Ctrl-C, 129 by SIGHUP, 143 by SIGTERM.

Examples:
  sluice export s3://sample-bucket/sales/ -t public.orders -t 'archive.*' -j 8 \\
    -d postgresql://reader@db.example/sales
  sluice export s3://sample-bucket/report.csv -q 'SELECT * FROM report' \\
    -o 'format csv, header true'
  PGSERVICE=sales sluice export s3://sample-bucket/sales/ -t '*' \\
    --compression gzip --if-exists clean
  sluice export 's3://sample-bucket/sales/{{date}}/' -t 'public.*' \\
    --fleet fleet.toml --source sales --detach`,
      )
      .showHelpAfterError('(sluice export --help shows the options)')
      // A wrong command line has a status of its own: 2, as everywhere.
      .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
      .action(async (destination: Destination, flags: ExportFlags, command: Command) => {
        const isGiven = (name: keyof ExportFlags) => command.getOptionValueSource(name) === 'cli';
        const problem = findProblem(destination, flags) ?? findFleetProblem(destination, flags, isGiven);
        if (problem !== undefined) command.error(`error: ${problem}`);
        process.exitCode = await run(destination, flags);
      })
  );
}

/** @returns the exit status */
async function run(destination: Destination, flags: ExportFlags): Promise<number> {
  if (flags.fleet !== undefined) {
    const { runFleetExport } = await loadFleet();
    return runFleetExport(destination, flags);
  }
  // With what it needs: other commands need not pay for it.
  const { runExport } = await import('./run-export.ts');
  return runExport(destination, flags);
}

function findProblem(
  destination: Destination,
  { table = [], query, splitBy, headerIn }: ExportFlags,
): string | undefined {
  if (table.length === 0 && query === undefined) return 'give --table or --query: what is to be exported?';
  if (headerIn !== undefined && isOneFile(destination, { table, splitBy }))
    return '--header-in is for folders: a query that goes to one path has its header in the first file';
  if (splitBy === '') return '--split-by needs the name of a column';
  return undefined;
}

export function collect(value: string, previous: string[] = []): string[] {
  return [...previous, value];
}

export function parseJobs(text: string): number {
  const jobs = Number(text);
  if (Number.isInteger(jobs) && jobs >= 1 && jobs <= MOST_JOBS) return jobs;
  throw new InvalidArgumentError(`Expected a whole number from 1 to ${MOST_JOBS}.`);
}

function parseFileSize(text: string): number {
  const bytes = parseSize(text);
  if (bytes !== undefined && bytes >= 1024 ** 2 && bytes <= 5 * 1024 ** 4) return bytes;
  throw new InvalidArgumentError('Expected a size such as "256MiB", from "1MiB" to "5TiB".');
}

function parseStorageClass(storageClass: string): string {
  refuseInvalid(() => validateObjectSettings({ storageClass }));
  return storageClass;
}

function parseMemory(text: string): number {
  const bytes = parseSize(text);
  if (bytes !== undefined && bytes >= 5 * 1024 ** 2) return bytes;
  throw new InvalidArgumentError('Expected a size such as "256MiB", from "5MiB" on.');
}

function parseRegion(region: string): string {
  refuseInvalid(() => validateRegion(region));
  return region;
}
