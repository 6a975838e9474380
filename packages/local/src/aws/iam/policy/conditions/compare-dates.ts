import { valueOperator, type ValueOperator } from './operator.ts';

/** An operator on two points in time. @param holds decides by the difference: the request's time minus the policy's */
export function dateOperator(name: string, holds: (difference: number) => boolean): ValueOperator {
  return valueOperator(name, (requestValue, policyValue) => {
    const requestMs = parseDateMs(requestValue);
    const policyMs = parseDateMs(policyValue);
    if (requestMs === undefined || policyMs === undefined) return false;
    return holds(requestMs === policyMs ? 0 : requestMs - policyMs);
  });
}

const EPOCH_SECONDS = /^\d{1,19}$/;
const MAX_EPOCH_SECONDS = 2n ** 63n - 1n;
const DATE = /^(?<year>-?\d{1,9})(?:-(?<month>\d{1,2})(?:-(?<day>\d{1,2}))?)?$/;
const TIME =
  /^(?:(?<hour>\d{1,2})(?::(?<minute>\d{1,2})(?::(?<second>\d{1,2})(?:\.(?<fraction>\d{1,9}))?)?)?)?(?<zone>z|[+-]\d\d(?::\d\d)?)?$/;

/**
 * Milliseconds since 1970 of an ISO 8601 date or of seconds since 1970; undefined for any other text. As in IAM, every
 * part after the year may be missing, and a date without a time zone is UTC.
 */
export function parseDateMs(text: string): number | undefined {
  if (EPOCH_SECONDS.test(text)) {
    return BigInt(text) > MAX_EPOCH_SECONDS ? undefined : Number(text) * 1000;
  }
  const [dateText = '', timeText, ...rest] = text.toLowerCase().split('t');
  if (rest.length > 0) return undefined;
  const date = DATE.exec(dateText)?.groups;
  const time = TIME.exec(timeText ?? '')?.groups;
  if (date === undefined || time === undefined) return undefined;

  const year = Number(date['year']);
  const month = inRange(date['month'], 1, 12, 1);
  const day = inRange(date['day'], 1, 31, 1);
  const hour = inRange(time['hour'], 0, 23, 0);
  const minute = inRange(time['minute'], 0, 59, 0);
  const second = inRange(time['second'], 0, 59, 0);
  const offsetMinutes = parseZoneMinutes(time['zone']);
  if (month === undefined || day === undefined || hour === undefined) return undefined;
  if (minute === undefined || second === undefined || offsetMinutes === undefined) return undefined;

  const fractionMs = Number(`0.${time['fraction'] ?? '0'}`) * 1000;
  const point = new Date(0);
  point.setUTCFullYear(year, month - 1, day);
  point.setUTCHours(hour, minute - offsetMinutes, second);
  const ms = point.getTime() + fractionMs;
  // IAM accepts years outside the range of a Date.
  return Number.isNaN(ms) ? Math.sign(year) * Infinity : ms;
}

function inRange(text: string | undefined, min: number, max: number, missing: number): number | undefined {
  if (text === undefined) return missing;
  const value = Number(text);
  return value >= min && value <= max ? value : undefined;
}

function parseZoneMinutes(zone: string | undefined): number | undefined {
  if (zone === undefined || zone === 'z') return 0;
  const hours = inRange(zone.slice(1, 3), 0, 23, 0);
  const minutes = inRange(zone.slice(4) || undefined, 0, 59, 0);
  if (hours === undefined || minutes === undefined) return undefined;
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes);
}
