import { appendFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CANCEL_PLACES, CancelBench, type CancelPlace } from '../support/cancel-places.ts';
import { exportQuery } from '../support/test-stack.ts';

/** bench/cancel-latency.mjs measures less than a second; here the limit is higher, because the machine may be busy. */
const BOUND_MS = 5_000;

let bench: CancelBench;

beforeAll(async () => {
  bench = await CancelBench.start();
});
afterAll(async () => bench?.[Symbol.asyncDispose]());

describe('a cancel is answered', () => {
  it.each(CANCEL_PLACES)('$who: $name', { timeout: 60_000 }, async (place) => {
    const { error, latencyMs } = await bench.cancelIn(place, place.name);
    expect(error).toMatchObject({ code: '57014', message: 'canceling statement due to user request' });
    expect(latencyMs).toBeLessThan(BOUND_MS);
    await measured(place, latencyMs);
    const session = bench.sessions[place.who];
    expect(await exportQuery(session, 'SELECT 1', 'again')).toMatchObject({ rows: 1 });
    await bench.testStack.expectNothingLeft(session);
    expect(place.mayBeStored === true ? [] : await bench.testStack.keys(place.name)).toEqual([]);
  });
});

/** For bench/cancel-latency.mjs. */
async function measured({ who, name }: CancelPlace, latencyMs: number): Promise<void> {
  const report = process.env['SLUICE_CANCEL_REPORT'];
  if (report !== undefined) await appendFile(report, `${JSON.stringify({ who, name, latencyMs })}\n`);
}
