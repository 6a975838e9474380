import { expect, it } from 'vitest';
import { snapshotLost } from './snapshot-lost.ts';

/** As pg tells what a server has said. */
function said(message: string, code: string): Error {
  return Object.assign(new Error(message), { code, severity: 'FATAL' });
}

it.each([
  [said('conflict', '40001'), /max_standby_streaming_delay/],
  [said('idle transaction timeout', '08P01'), /idle_transaction_timeout/],
  [said('query timeout', '08P01'), /query_timeout/],
  [said('terminating connection', '57P01'), /export again/],
  [undefined, /export again/],
])('says what to do: %s', (error, hint) => expect(snapshotLost(error).hint).toMatch(hint));
