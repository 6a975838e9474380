import { describe, expect, it } from 'vitest';
import { checkSchedule, nextRun } from './check-schedule.ts';

const next = (cron: string, timeZone: string, after: string) =>
  nextRun({ cron, timeZone }, new Date(after)).toISOString();

describe('nextRun', () => {
  it.each([
    ['15 2 * * *', 'UTC', '2026-01-01T00:00:00Z', '2026-01-01T02:15:00.000Z'],
    ['15 2 * * *', 'UTC', '2026-01-01T02:15:00Z', '2026-01-02T02:15:00.000Z'],
    ['15 2 * * *', 'America/New_York', '2026-01-01T00:00:00Z', '2026-01-01T07:15:00.000Z'],
    ['0 0 2 * * mon', 'UTC', '2026-01-01T00:00:00Z', '2026-01-05T02:00:00.000Z'],
    ['@daily', 'Asia/Tokyo', '2026-01-01T00:00:00Z', '2026-01-01T15:00:00.000Z'],
  ])('%s in %s after %s', (cron, timeZone, after, expected) => {
    expect(next(cron, timeZone, after)).toBe(expected);
  });

  it('runs once on the day on which the hour is left out, and on the day on which it comes twice', () => {
    // 02:30 is not there on 2026-03-29 in Berlin, and comes twice on 2026-10-25.
    expect(next('30 2 * * *', 'Europe/Berlin', '2026-03-28T12:00:00Z')).toMatch(/^2026-03-29T01:/);
    const first = next('30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00:00Z');
    expect(first).toMatch(/^2026-10-25T0[01]:30/);
    expect(next('30 2 * * *', 'Europe/Berlin', first)).toBe('2026-10-26T01:30:00.000Z');
  });

  it.each(['', '* * * *', '60 * * * *', '* * * * * * *', '0 0 30 2 *', 'H 2 * * *', '@reboot', 'tomorrow'])(
    'refuses %j',
    (cron) => {
      expect(() => nextRun({ cron, timeZone: 'UTC' })).toThrow(/the cron expression ".*" cannot be used/);
    },
  );
});

describe('checkSchedule', () => {
  it('names the schedule that has something wrong', () => {
    const check = (changes: { timeZone?: string; prefix?: string }) => {
      const { timeZone = 'UTC', prefix = 'a/{{date}}/' } = changes;
      checkSchedule({ name: 'nightly', cron: '15 2 * * *', timeZone, request: { prefix } });
    };
    expect(() => check({ timeZone: 'Berlin' })).toThrow('schedule "nightly": unknown time zone: "Berlin"');
    expect(() => check({ prefix: '{{day}}/' })).toThrow(
      'schedule "nightly": unknown placeholder in the path: "{{day}}"',
    );
    expect(() => check({})).not.toThrow();
  });
});
