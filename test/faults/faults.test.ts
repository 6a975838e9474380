import { expect, it } from 'vitest';
import { doFaultRuns } from './fault-runs.ts';
import { summarise, type RunReport } from './run-report.ts';

/** npm run test:faults sets these. npm test runs a fixed sample. */
const RUNS = Number(process.env['SLUICE_FAULTS_RUNS'] ?? 60);
const SEED = Number(process.env['SLUICE_FAULTS_SEED'] ?? 1);
const ONLY = process.env['SLUICE_FAULTS_ONLY'];
const IS_TALKATIVE = process.env['SLUICE_FAULTS_RUNS'] !== undefined || ONLY !== undefined;

const MS_PER_RUN = 10_000;
const RUNS_BETWEEN_LINES = 50;

it(
  "an export succeeds if and only if its objects are COPY's bytes, and leaves nothing when it fails",
  async () => {
    const runs = ONLY === undefined ? Array.from({ length: RUNS }, (_, index) => index) : [Number(ONLY)];
    const startedAt = Date.now();
    let done = 0;
    const { reports, problems } = await doFaultRuns({
      seed: SEED,
      runs,
      onReport: (report) => {
        done += 1;
        if (report.violations.length > 0 || ONLY !== undefined) say(violationOf(report));
        if (IS_TALKATIVE && done % RUNS_BETWEEN_LINES === 0)
          say(`${done} of ${runs.length} runs in ${Math.round((Date.now() - startedAt) / 1000)} s`);
      },
    });
    for (const problem of problems) say(problem);
    if (IS_TALKATIVE) say(summarise(reports));
    expect(reports).toHaveLength(runs.length);
    expect([
      ...problems,
      ...reports.flatMap(({ run, violations }) => violations.map((text) => `run ${run}: ${text}`)),
    ]).toEqual([]);
  },
  Math.max(300_000, RUNS * MS_PER_RUN),
);

/** Everything that is needed to repeat the run. */
function violationOf(report: RunReport): string {
  return JSON.stringify({ seed: SEED, ...report });
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
