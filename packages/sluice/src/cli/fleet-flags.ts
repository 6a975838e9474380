import { InvalidArgumentError } from 'commander';
import { isOneFile, type Destination } from './export-destination.ts';
import type { ExportFlags } from './export.ts';

/** BullMQ's, https://docs.bullmq.io/guide/jobs/prioritized */
const LOWEST_PRIORITY = 2_097_152;

/** Options that are each worker's own, in its fleet.toml. */
const OF_THE_WORKERS = new Map<keyof ExportFlags, string>([
  ['jobs', '--jobs: how many sessions read is max_connections of the source, and jobs of the workers'],
  ['memory', '--memory: [worker] of the workers has it'],
  ['endpoint', '--endpoint: [s3] of the workers has it'],
  ['profile', '--profile: the workers reach S3 with credentials of their own'],
]);

/**
 * What is wrong with options that are given together with --fleet, or without it.
 *
 * @param isGiven whether an option stands on the command line
 */
export function findFleetProblem(
  destination: Destination,
  flags: ExportFlags,
  isGiven: (name: keyof ExportFlags) => boolean,
): string | undefined {
  const { fleet, source, database, dryRun } = flags;
  if (fleet === undefined) {
    const [needless] = (['source', 'detach', 'priority'] as const).filter(isGiven);
    return needless === undefined ? undefined : `--${needless} is for exports on a fleet: give --fleet, too`;
  }
  if (database !== undefined) {
    return "a fleet's workers know databases by name: in place of --database give --source, one of [sources] in their fleet.toml";
  }
  if (source === undefined) return 'give --source: which of [sources] in the fleet.toml is exported from?';
  if (dryRun === true) return '--dry-run is not done by a fleet: give --database in place of --fleet';
  const [own] = [...OF_THE_WORKERS].filter(([name]) => isGiven(name));
  if (own !== undefined) return `not with --fleet: ${own[1]}`;
  if (isOneFile(destination, flags)) {
    return 'a fleet exports to folders: end the path with a slash';
  }
  return undefined;
}

export function parsePriority(text: string): number {
  const priority = Number(text);
  if (Number.isInteger(priority) && priority >= 1 && priority <= LOWEST_PRIORITY) return priority;
  throw new InvalidArgumentError(`Expected a whole number from 1 to ${LOWEST_PRIORITY}.`);
}
