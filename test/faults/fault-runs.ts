import { inspect } from 'node:util';
import { contentsOf, removeContents } from './bucket-contents.ts';
import { CopiedBytes } from './copied-bytes.ts';
import { FaultStack } from './fault-stack.ts';
import { Gate } from './gate.ts';
import { quietAgent } from './agent-status.ts';
import type { RunReport } from './run-report.ts';
import { doRun, drawRun, isAlone, type DrawnRun } from './run.ts';

/** How many runs are in progress at the same time. Most of them wait for timeouts. */
const LANES = 4;
/** After so many runs, no new one is begun until the agent was checked while it is idle. */
const RUNS_BETWEEN_CHECKS = 50;
/** At the end, how long to wait for objects of requests that were broken off. */
const LATE_MS = 3_000;

export interface FaultRunsOptions {
  seed: number;
  runs: readonly number[];
  /** Called with each report. */
  onReport?: (report: RunReport) => void;
}

export interface FaultRunsResult {
  reports: RunReport[];
  /** Problems that do not belong to a single run. */
  problems: string[];
}

/** Executes the runs of a seed on one stack. */
export async function doFaultRuns({ seed, runs, onReport }: FaultRunsOptions): Promise<FaultRunsResult> {
  await using stack = await FaultStack.start();
  const copied = new CopiedBytes(stack);
  const gate = new Gate();
  const reports: RunReport[] = [];
  const problems: string[] = [];
  const left = [...runs];
  const lane = async (): Promise<void> => {
    for (let run = left.shift(); run !== undefined; run = left.shift()) {
      const drawn = drawRun(seed, run);
      const report = await gate.through(isAlone(drawn), () => doOrReport(stack, copied, drawn));
      reports.push(report);
      onReport?.(report);
      if (reports.length % RUNS_BETWEEN_CHECKS === 0) {
        const found = await gate.through(true, () => quietAgent(stack));
        problems.push(...found.map((problem) => `after ${reports.length} runs: ${problem}`));
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(LANES, runs.length) }, lane));
  problems.push(...(await quietAgent(stack)));
  await new Promise((resolve) => setTimeout(resolve, LATE_MS));
  const late = await contentsOf(stack.testStack, '');
  for (const key of late.keys) problems.push(`appeared after its run was over: the object ${key}`);
  for (const { key } of late.uploads) problems.push(`appeared after its run was over: an upload of ${key}`);
  await removeContents(stack.testStack, late);
  return { reports: reports.toSorted((a, b) => a.run - b.run), problems };
}

/**
 * If the harness itself fails in a run, that is reported as a violation, and the stack is repaired for the next run.
 */
async function doOrReport(stack: FaultStack, copied: CopiedBytes, drawn: DrawnRun): Promise<RunReport> {
  try {
    return await doRun(stack, copied, drawn);
  } catch (error) {
    await stack.server.isUp();
    if (!stack.agent.isRunning) await stack.agent.start();
    const { run, draw, plan } = drawn;
    const violations = [`it could not be done: ${inspect(error)}`, ...stack.agent.takeUnexpectedEnds()];
    return {
      run,
      draw,
      plan,
      met: [],
      outcome: 'did not end',
      ms: 0,
      settleMs: 0,
      undecided: [],
      violations,
    };
  }
}
