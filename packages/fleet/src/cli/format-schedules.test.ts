import { expect, it } from 'vitest';
import { formatChanges, formatSchedules } from './format-schedules.ts';

const now = new Date('2026-11-25T02:20:00Z');
const nightly = {
  name: 'nightly',
  cron: '15 2 * * *',
  timeZone: 'Europe/Berlin',
  next: new Date('2026-11-26T01:15:00Z'),
};

it('says what was done with each schedule, and when it is due, in its own time zone', () => {
  const changes = [
    { change: 'added', name: 'nightly', schedule: nightly },
    { change: 'removed', name: 'weekly-report', schedule: undefined },
  ] as const;
  expect(formatChanges(changes, { now })).toBe(
    'added      nightly        next 2026-11-26 02:15:00 Europe/Berlin, in 22 h 55 min\nremoved    weekly-report\n',
  );
  expect(formatChanges([], { now })).toBe('there are no schedules, and there were none\n');
});

it('lists the schedules', () => {
  expect(formatSchedules([nightly], { now })).toBe(
    'NAME     CRON        NEXT\nnightly  15 2 * * *  2026-11-26 02:15:00 Europe/Berlin, in 22 h 55 min\n',
  );
  expect(formatSchedules([], { now })).toBe('no schedules: sluice fleet apply takes those of a fleet.toml\n');
});
