import { formatDuration, printableLine } from 'sluice/cli';
import { formatColumns } from './format-columns.ts';
import { formatInstant } from './format-time.ts';

/** A schedule that the fleet has. */
export interface KnownSchedule {
  name: string;
  cron: string;
  /** IANA. */
  timeZone: string;
  next: Date | undefined;
}

export type Change = 'added' | 'changed' | 'unchanged' | 'removed';

export interface ScheduleChange {
  change: Change;
  name: string;
  /** Undefined where it was removed. */
  schedule: KnownSchedule | undefined;
}

const LONGEST_NAME = 100;

export function formatSchedules(schedules: readonly KnownSchedule[], { now }: { now: Date }): string {
  if (schedules.length === 0) return 'no schedules: sluice fleet apply takes those of a fleet.toml\n';
  return formatColumns(
    [{ title: 'NAME' }, { title: 'CRON' }, { title: 'NEXT' }],
    schedules
      .toSorted((a, b) => a.name.localeCompare(b.name))
      .map((schedule) => [schedule.name, schedule.cron, nextOf(schedule, now)]),
  );
}

/** What `sluice fleet apply` has done. */
export function formatChanges(changes: readonly ScheduleChange[], { now }: { now: Date }): string {
  if (changes.length === 0) return 'there are no schedules, and there were none\n';
  const nameWidth = Math.max(...changes.map(({ name }) => name.length));
  return changes
    .map(({ change, name, schedule }) => {
      const next = schedule === undefined ? '' : `  next ${nextOf(schedule, now)}`;
      return `${change.padEnd('unchanged'.length)}  ${printableLine(name, LONGEST_NAME).padEnd(nameWidth)}${next}`;
    })
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
}

/** `2026-11-26 02:15:00 Europe/Berlin, in 8 h 12 min`. */
function nextOf({ next, timeZone }: KnownSchedule, now: Date): string {
  if (next === undefined) return 'never';
  const inMs = next.getTime() - now.getTime();
  return `${formatInstant(next, timeZone)}, ${inMs <= 0 ? 'now' : `in ${formatDuration(inMs)}`}`;
}
