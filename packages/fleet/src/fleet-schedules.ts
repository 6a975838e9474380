import { exportJobOptions, sealSchedule } from './export-job.ts';
import type { FleetSchedule } from './fleet-config.ts';
import type { FleetQueues } from './fleet-queues.ts';
import type { Seal } from './seal.ts';

export interface FleetScheduleState {
  name: string;
  source: string;
  cron: string;
  /** IANA. */
  timeZone: string;
  next: Date | undefined;
}

/** Makes the fleet's schedules these: others are removed. */
export async function applySchedules(
  { queues, seal, backoffMs }: { queues: FleetQueues; seal: Seal; backoffMs: number },
  schedules: readonly FleetSchedule[],
): Promise<{ applied: string[]; removed: string[] }> {
  for (const { name, cron, timeZone, request } of schedules) {
    const { exports } = await queues.of(request.source);
    const data = sealSchedule(seal, name, { ...request, timeZone });
    const job = { name: 'export', data, opts: exportJobOptions(request, backoffMs) };
    await exports.upsertJobScheduler(name, { pattern: cron, tz: timeZone }, job);
  }
  const kept = new Map(schedules.map(({ name, request }) => [name, request.source]));
  const removed: string[] = [];
  for (const { source, name } of await listSchedules(queues)) {
    if (kept.get(name) === source) continue;
    const { exports } = await queues.of(source);
    await exports.removeJobScheduler(name);
    if (!kept.has(name)) removed.push(name);
  }
  return { applied: [...kept.keys()], removed };
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
