import { exportJobOptions, isSealedRequest, sealSchedule } from './export-job.ts';
import type { FleetSchedule } from './fleet-config.ts';
import type { FleetQueues } from './fleet-queues.ts';
import { checkSchedule } from './schedules/check-schedule.ts';
import type { Seal } from './seal.ts';

export interface FleetScheduleState {
  name: string;
  source: string;
  cron: string;
  /** IANA. */
  timeZone: string;
  next: Date | undefined;
}

/** The names of schedules, by what was done with them. */
export interface AppliedSchedules {
  added: string[];
  changed: string[];
  unchanged: string[];
  removed: string[];
}

interface Fleet {
  queues: FleetQueues;
  seal: Seal;
  backoffMs: number;
}

/** Makes the fleet's schedules these: others are removed. All are checked before anything is changed. */
export async function applySchedules(
  fleet: Fleet,
  schedules: readonly FleetSchedule[],
): Promise<AppliedSchedules> {
  for (const schedule of schedules) checkSchedule(schedule);
  const changes: AppliedSchedules = { added: [], changed: [], unchanged: [], removed: [] };
  for (const schedule of schedules) changes[await apply(fleet, schedule)].push(schedule.name);
  const kept = new Map(schedules.map(({ name, request }) => [name, request.source]));
  for (const { source, name } of await listSchedules(fleet.queues)) {
    if (kept.get(name) === source) continue;
    const { exports } = await fleet.queues.of(source);
    await exports.removeJobScheduler(name);
    if (!kept.has(name)) changes.removed.push(name);
  }
  return changes;
}

async function apply(
  { queues, seal, backoffMs }: Fleet,
  schedule: FleetSchedule,
): Promise<'added' | 'changed' | 'unchanged'> {
  const { name, cron, timeZone, request } = schedule;
  const { exports } = await queues.of(request.source);
  const known = await exports.getJobScheduler(name);
  const data = sealSchedule(seal, name, { ...request, timeZone });
  const job = { name: 'export', data, opts: exportJobOptions(request, backoffMs) };
  await exports.upsertJobScheduler(name, { pattern: cron, tz: timeZone }, job);
  if (known === undefined) return 'added';
  const isSame =
    known.pattern === cron && known.tz === timeZone && isSealedRequest(seal, schedule, known.template?.data);
  return isSame ? 'unchanged' : 'changed';
}

export async function listSchedules(queues: FleetQueues): Promise<FleetScheduleState[]> {
  const lists = await Promise.all(
    (await queues.all()).map(async ({ source, exports }) =>
      (await exports.getJobSchedulers()).map(({ key, pattern = '', tz = 'UTC', next }) => ({
        name: key,
        source,
        cron: pattern,
        timeZone: tz,
        next: next === undefined ? undefined : new Date(next),
      })),
    ),
  );
  return lists.flat().toSorted((a, b) => a.name.localeCompare(b.name));
}
