import { SluiceError } from 'sluice';

/** What stands for the placeholders of a prefix. */
export interface PrefixValues {
  /** When the export was due: a schedule's own time, however late it begins; else when it was asked for. */
  dueAt: Date;
  /** IANA, such as `Europe/Berlin`. */
  timeZone: string;
  /** Of the export. */
  id: string;
}

/** `{{name}}`, with blanks inside or not. */
const PLACEHOLDER = /\{\{([^{}]*)\}\}/g;

const VALUES = new Map<string, (values: PrefixValues) => string>([
  ['date', ({ dueAt, timeZone }) => clockOf(dueAt, timeZone).date],
  ['time', ({ dueAt, timeZone }) => clockOf(dueAt, timeZone).time],
  ['id', ({ id }) => id],
]);

/**
 * Puts values in the place of `{{date}}` (2026-11-25), `{{time}}` (021500: hours, minutes and seconds) and `{{id}}`.
 *
 * @throws SluiceError `invalid_argument`: another placeholder, or a time zone that is not known
 */
export function renderPrefix(template: string, values: PrefixValues): string {
  checkPrefix(template);
  checkTimeZone(values.timeZone);
  return template.replaceAll(PLACEHOLDER, (_, name: string) => VALUES.get(name.trim())?.(values) ?? '');
}

/** @throws SluiceError `invalid_argument`: there is a placeholder that nothing stands for */
export function checkPrefix(template: string): void {
  const unknown = [...template.matchAll(PLACEHOLDER)].find(([, name = '']) => !VALUES.has(name.trim()));
  const rest = template.replaceAll(PLACEHOLDER, '');
  const problem = unknown?.[0] ?? /\{\{|\}\}/.exec(rest)?.[0];
  if (problem === undefined) return;
  throw new SluiceError('invalid_argument', `unknown placeholder in the path: ${JSON.stringify(problem)}`, {
    hint: 'There are {{date}}, {{time}} and {{id}}.',
  });
}

/** @throws SluiceError `invalid_argument`: there is no such time zone */
export function checkTimeZone(timeZone: string): void {
  try {
    clockOf(new Date(0), timeZone);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new SluiceError('invalid_argument', `unknown time zone: ${JSON.stringify(timeZone)}`, {
      cause: error,
      hint: 'Give a name of the IANA time zone database, such as "UTC" or "Europe/Berlin".',
    });
  }
}

function clockOf(instant: Date, timeZone: string): { date: string; time: string } {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    calendar: 'iso8601',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  });
  const parts = new Map(format.formatToParts(instant).map(({ type, value }) => [type, value]));
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? '';
  return {
    date: `${part('year').padStart(4, '0')}-${part('month')}-${part('day')}`,
    time: `${part('hour')}${part('minute')}${part('second')}`,
  };
}
