import { CronExpressionParser } from 'cron-parser';
import { isSluiceError, SluiceError } from 'sluice';
import { checkPrefix, checkTimeZone } from './render-prefix.ts';

/** Five fields as cron has them, or six with seconds before them. */
const FIELDS = /^\s*(?:\S+\s+){4,5}\S+\s*$/;
const NAMES = /^@(?:yearly|annually|monthly|weekly|daily|hourly)$/;
/** The parser's own: a value of its choice, another each time. */
const HASHED = /(?:^|[\s,])H/;

export interface ScheduleTimes {
  cron: string;
  /** IANA. */
  timeZone: string;
}

/**
 * When a schedule is due next, by the parser that BullMQ has.
 *
 * @throws SluiceError `config_invalid`: the cron expression can't be used, or is never due; `invalid_argument`: there is
 *   no such time zone
 */
export function nextRun({ cron, timeZone }: ScheduleTimes, after = new Date()): Date {
  checkTimeZone(timeZone);
  try {
    // The parser takes fewer fields, and an empty text for each minute.
    if (!NAMES.test(cron) && (!FIELDS.test(cron) || HASHED.test(cron))) {
      throw new Error('Expected five fields: minute, hour, day of the month, month, day of the week');
    }
    return CronExpressionParser.parse(cron, { tz: timeZone, currentDate: after }).next().toDate();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new SluiceError('config_invalid', `the cron expression ${JSON.stringify(cron)} cannot be used`, {
      cause: error,
      detail: `${reason.replace(/\.$/, '')}.`,
      hint: 'For example, "15 2 * * *" is every day at 02:15, in the time zone of the schedule.',
    });
  }
}

/** @throws SluiceError `config_invalid`, which names the schedule */
export function checkSchedule({
  name,
  request,
  ...times
}: ScheduleTimes & { name: string; request: { prefix: string } }): void {
  try {
    nextRun(times);
    checkPrefix(request.prefix);
  } catch (error) {
    if (!isSluiceError(error)) throw error;
    const { message, detail, hint } = error;
    throw new SluiceError('config_invalid', `schedule "${name}": ${message}`, { detail, hint, cause: error });
  }
}
