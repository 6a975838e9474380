import type { Finding } from '../../walk.ts';
import type { Server } from './server.ts';

/** Limits that end sessions or transactions; an export sets them off for its own. */
const SET_OFF = ['statement_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout'];
/** A standby that may stop replaying for less than this ends long queries. */
const LONG_EXPORT_MS = 60 * 60 * 1000;

const SETTINGS = `
  SELECT s.name, s.setting, pg_catalog.current_setting(s.name) AS shown
  FROM pg_catalog.pg_settings AS s
  WHERE s.name OPERATOR(pg_catalog.=) ANY ($1)`;

/** Checks for settings of the server that end long transactions, as exports are. */
export async function checkLimits({ client, isStandby }: Server): Promise<Finding> {
  const names = [...SET_OFF, 'hot_standby_feedback', 'max_standby_streaming_delay', 'old_snapshot_threshold'];
  const { rows } = await client.query<{ name: string; setting: string; shown: string }>(SETTINGS, [names]);
  const settings = new Map(rows.map((row) => [row.name, row]));
  const number = (name: string) => Number(settings.get(name)?.setting ?? Number.NaN);
  const setOff = SET_OFF.filter((name) => number(name) > 0).map(
    (name) => `${name} = ${settings.get(name)?.shown}`,
  );
  const found =
    setOff.length === 0 ? 'no limit for transactions' : `set off for an export: ${setOff.join(', ')}`;
  // Up to 16: https://www.postgresql.org/docs/16/runtime-config-resource.html
  if (number('old_snapshot_threshold') >= 0) {
    return {
      status: 'warning',
      found: `old_snapshot_threshold = ${settings.get('old_snapshot_threshold')?.shown}: the server may drop what a longer export reads ("snapshot too old")`,
      mend: 'Set old_snapshot_threshold = -1, and restart the server.',
      value: true,
    };
  }
  const delayMs = number('max_standby_streaming_delay');
  const endsQueries = delayMs >= 0 && delayMs < LONG_EXPORT_MS;
  if (isStandby && endsQueries && settings.get('hot_standby_feedback')?.setting !== 'on') {
    return {
      status: 'warning',
      found: `the standby ends queries that are in the way of what it replays, after ${settings.get('max_standby_streaming_delay')?.shown} (max_standby_streaming_delay), and hot_standby_feedback is off`,
      mend: 'On the standby, set hot_standby_feedback = on, or raise max_standby_streaming_delay (-1: for ever).',
      value: true,
    };
  }
  return { status: 'ok', found, value: true };
}
