import { Command } from 'commander';
import type { AppliedSchedules } from '../fleet-client.ts';
import { withConfig, type ConfigFlag } from './config-option.ts';
import { writeJson } from './export-json.ts';
import {
  formatChanges,
  formatSchedules,
  type KnownSchedule,
  type ScheduleChange,
} from './format-schedules.ts';
import { withClient } from './with-client.ts';

interface Flags extends ConfigFlag {
  json?: boolean;
}

export function applyCommand(): Command {
  return new Command('apply')
    .description('make the [[schedules]] of a fleet.toml those of the fleet')
    .argument('<file>', 'a fleet.toml; schedules that are not in it are removed')
    .addHelpText(
      'after',
      `
All schedules are checked first; if one can't be used, nothing is changed.
Exports that a removed schedule has begun go on.

Example:
  sluice fleet apply /etc/sluice/fleet.toml`,
    )
    .action(async (config: string) => {
      const changes = await withClient({ config }, async (client, { schedules }) => {
        const applied = await client.applySchedules(schedules);
        return changesOf(applied, await client.schedules());
      });
      process.stdout.write(formatChanges(changes, { now: new Date() }));
    });
}

function changesOf(applied: AppliedSchedules, known: readonly KnownSchedule[]): ScheduleChange[] {
  const schedules = new Map(known.map((schedule) => [schedule.name, schedule]));
  const kinds = ['added', 'changed', 'unchanged', 'removed'] as const;
  return kinds.flatMap((change) =>
    applied[change].map((name) => ({ change, name, schedule: schedules.get(name) })),
  );
}

export function schedulesCommand(): Command {
  return withConfig(new Command('schedules'))
    .description('show the schedules, and when each is due next')
    .option('--json', 'print one JSON document: {schedules: [{name, cron, time_zone, next}]}')
    .addHelpText('after', '\nExample:\n  sluice fleet schedules -c fleet.toml')
    .action(async ({ json = false, ...flags }: Flags) => {
      const schedules = await withClient(flags, (client) => client.schedules());
      if (!json) {
        process.stdout.write(formatSchedules(schedules, { now: new Date() }));
        return;
      }
      writeJson({
        schedules: schedules.map(({ name, cron, timeZone, next }) => ({
          name,
          cron,
          time_zone: timeZone,
          next: next?.toISOString() ?? null,
        })),
      });
    });
}
