import { describe, expect, it } from 'vitest';
import { checkPrefix, renderPrefix } from './render-prefix.ts';

const render = (template: string, dueAt: string, timeZone = 'UTC') =>
  renderPrefix(template, { dueAt: new Date(dueAt), timeZone, id: 'x1' });

describe('renderPrefix', () => {
  it('puts the date, the time and the id in, as often as they are asked for', () => {
    expect(render('sales/{{date}}/{{time}}-{{ id }}/{{date}}/', '2026-01-02T03:04:05Z')).toBe(
      'sales/2026-01-02/030405-x1/2026-01-02/',
    );
  });

  it('leaves a prefix without placeholders as it is, single braces too', () => {
    expect(render('sales/{a}/$&/', '2026-01-02T03:04:05Z')).toBe('sales/{a}/$&/');
  });

  it.each([
    // Midnight is 00, not 24.
    ['2026-06-30T22:00:00Z', 'Europe/Berlin', '2026-07-01/000000'],
    ['2026-06-30T21:59:59Z', 'Europe/Berlin', '2026-06-30/235959'],
    // The day on which summer time begins, one second before and after.
    ['2026-03-29T00:59:59Z', 'Europe/Berlin', '2026-03-29/015959'],
    ['2026-03-29T01:00:00Z', 'Europe/Berlin', '2026-03-29/030000'],
    // An hour that comes twice.
    ['2026-10-25T00:30:00Z', 'Europe/Berlin', '2026-10-25/023000'],
    ['2026-10-25T01:30:00Z', 'Europe/Berlin', '2026-10-25/023000'],
    ['2026-01-01T00:00:00Z', 'America/New_York', '2025-12-31/190000'],
    ['2026-01-01T00:00:00Z', 'Asia/Kathmandu', '2026-01-01/054500'],
    // A calendar of the reader's own is not used.
    ['2026-01-01T00:00:00Z', 'Asia/Bangkok', '2026-01-01/070000'],
  ])('%s in %s is %s', (dueAt, timeZone, expected) => {
    expect(render('{{date}}/{{time}}', dueAt, timeZone)).toBe(expected);
  });

  it('refuses a time zone that there is not', () => {
    expect(() => render('{{date}}/', '2026-01-01T00:00:00Z', 'Europe/Berln')).toThrow(
      'unknown time zone: "Europe/Berln"',
    );
  });
});

describe('checkPrefix', () => {
  it.each([
    '{{day}}/',
    '{{Date}}/',
    '{{}}/',
    '{{date/',
    'a}}/',
    '{{{{date}}}}/',
    '{{date}}}}/',
    '{{constructor}}/',
  ])('refuses %s', (template) => {
    expect(() => checkPrefix(template)).toThrow('unknown placeholder in the path: ');
  });
});
