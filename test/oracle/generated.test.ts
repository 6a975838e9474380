import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { arbitraryCase } from '../support/arbitrary-cases.ts';
import { Oracle, WAYS } from '../support/oracle.ts';

/** The number of exports in each run; a run is one transaction. */
const CASES_IN_A_RUN = 25;
/** npm run test:matrix uses twice as many. */
const RUNS = Number(process.env['SLUICE_GENERATED_RUNS'] ?? 20);
/** Printed, so that a failing run can be repeated. */
const SEED = Number(process.env['SLUICE_GENERATED_SEED'] ?? Date.now() % 2 ** 31);

let oracle: Oracle;

beforeAll(async () => {
  oracle = await Oracle.start();
});
afterEach(async () => oracle.expectNothingLeft());
afterAll(async () => oracle?.stop());

/** Settings that the output of types depends on. */
const SETTINGS = fc.record({
  DateStyle: fc.constantFrom('ISO, MDY', 'SQL, DMY', 'Postgres, MDY', 'German'),
  IntervalStyle: fc.constantFrom('postgres', 'postgres_verbose', 'sql_standard', 'iso_8601'),
  TimeZone: fc.constantFrom('UTC', 'America/New_York', 'Asia/Kathmandu', 'Europe/Amsterdam'),
  extra_float_digits: fc.constantFrom('-15', '0', '1', '3'),
  bytea_output: fc.constantFrom('hex', 'escape'),
  // A notice (e.g. for an empty tsquery) quotes the query, which is an error if the client's encoding lacks a
  // character of it. For an ordinary role the query runs before COPY checks the options: with wrong options the export
  // would raise this error, and COPY the error about the options.
  client_min_messages: fc.constant('warning'),
  client_encoding: fc.constantFrom('UTF8', 'UTF8', 'LATIN1', 'EUC_JP', 'SJIS'),
});

describe.each(WAYS)('%s', (way) => {
  it(`${RUNS * CASES_IN_A_RUN} generated tables (seed ${SEED})`, async () => {
    let exported = 0;
    let refused = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(arbitraryCase(), { minLength: CASES_IN_A_RUN, maxLength: CASES_IN_A_RUN }),
        SETTINGS,
        async (cases, settings) => {
          for (const comparison of await oracle.expectSame(way, cases, { settings })) {
            if ('code' in comparison.exported) refused += 1;
            else exported += 1;
          }
        },
      ),
      { seed: SEED, numRuns: RUNS },
    );
    console.log(
      `${way}: ${exported} exported and ${refused} refused as by COPY; SLUICE_GENERATED_SEED=${SEED}`,
    );
    expect(exported).toBeGreaterThan(refused);
  });
});
