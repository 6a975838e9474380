import type pg from 'pg';
import { ArmedPlan } from './armed-plan.ts';
import { call, type CallOutcome } from './call.ts';
import type { CopiedBytes } from './copied-bytes.ts';
import { drawPlan } from './draw-plan.ts';
import { backendPidOf } from './event-context.ts';
import { Events } from './events.ts';
import { drawExport, queryOf, type ExportDraw } from './export-draw.ts';
import type { AwsStep, PlanStep } from './fault-plan.ts';
import { MAX_ATTEMPTS, REQUEST_TIMEOUT_MS, type FaultStack } from './fault-stack.ts';
import { judge, type Judgement } from './judge.ts';
import type { RunReport } from './run-report.ts';
import { SeededRandom } from './seeded-random.ts';
import { startStandby } from './server-events.ts';

/** A run as it is determined by its seed and number. */
export interface DrawnRun {
  run: number;
  draw: ExportDraw;
  plan: readonly PlanStep[];
  random: SeededRandom;
  /** True: the session exports again before the first call has settled. False: after that. */
  againAtOnce: boolean;
}

/** How long a call may take to end without any fault, on a busy machine. */
const BASE_MS = 15_000;
/** A fault can affect a request for each of three files, and again when they are cleaned up. */
const REQUESTS_OF_A_STEP = 3;
const LONGEST_BACKOFF_MS = 400;
/** A little more than the agent's own time limit for STS. */
const STS_DEADLINE_MS = 35_000;
const STATEMENT_TIMEOUT_MS = 400;

export function drawRun(seed: number, run: number): DrawnRun {
  const random = new SeededRandom(seed, run);
  const draw = drawExport(random);
  return {
    run,
    draw,
    plan: drawPlan(random, draw),
    againAtOnce: random.chance(0.5),
    random,
  };
}

/** Whether the run must go alone, because it stops something that other runs use. */
export function isAlone({ plan }: DrawnRun): boolean {
  return plan.some(({ what }) => what === 'agent' || what === 'server');
}

/** Executes a run, and reports its result. Afterwards the bucket is as it was before. */
export async function doRun(stack: FaultStack, copied: CopiedBytes, drawn: DrawnRun): Promise<RunReport> {
  const { run, draw, plan, random } = drawn;
  const prefix = `run-${run}/`;
  const awsSteps = plan.filter((step): step is AwsStep => step.what === 'aws');
  // The agent keeps credentials for each role, so only a new role makes it send AssumeRole.
  const needsOwnRole = awsSteps.some(({ operation }) => operation === 'AssumeRole');
  const roleName = needsOwnRole ? `${draw.role}_${run}` : draw.role;
  const needsStandby = has(plan, 'standby promoted') && draw.role.endsWith('direct');
  if (needsOwnRole) await stack.createRole(draw.role, roleName);
  const standby = needsStandby ? await startStandby({ stack }) : undefined;
  const url = standby === undefined ? stack.server.url : standby.url;
  const session = await connectAs(stack, needsStandby ? 'postgres' : roleName, url);
  const logFrom = stack.agent.position;
  const happening = plan.filter(({ what }) => what !== 'aws').filter((step) => mayHappen(step, needsStandby));
  const events = new Events(happening, { stack, session, backendPid: backendPidOf(session), random });
  const armed = new ArmedPlan({ subject: prefix, sessionName: `${roleName}@` }, awsSteps, (operation, nth) =>
    events.onRequest(operation, nth),
  );
  stack.aws.arm(armed);
  const key = `${prefix}file`;
  const failsAt = has(plan, 'query error') && draw.rows > 0 ? random.integer(1, draw.rows) : undefined;
  const timesOut = has(plan, 'statement_timeout');
  if (timesOut) await session.query(`SET statement_timeout = ${random.integer(5, STATEMENT_TIMEOUT_MS)}`);
  events.start();
  const request = { query: queryOf(draw, failsAt), key, options: draw.options };
  const boundMs = boundOf(plan);
  const outcome = await call(session, request, boundMs);
  armed.disarm();
  const own = [...(failsAt === undefined ? [] : ['query error']), ...(timesOut ? ['statement_timeout'] : [])];
  const met = new Set(
    armed.exchanges.flatMap(({ operation, fault }) => (fault === undefined ? [] : `${operation}: ${fault}`)),
  );
  await events.settle();
  const backendHangs =
    events.happened.includes('client gone') &&
    !(await stack.server.backendEnded(backendPidOf(session), boundMs));
  for (const event of [...own, ...events.happened]) met.add(event);
  const judgement: Judgement = await judge({
    stack,
    drawn,
    outcome,
    session,
    reconnect: () => connectAs(stack, roleName, stack.server.url),
    copied: () => copied.of(queryOf(draw), draw.options),
    key,
    prefix,
    armed,
    met: [...met],
    logFrom,
  });
  stack.aws.forget(armed);
  await standby?.stop();
  if (needsOwnRole) await stack.dropRole(roleName);
  const violations = [
    ...(outcome.state === 'did not end' ? [`the call did not end within ${boundMs} ms`] : []),
    ...(backendHangs ? [`the backend whose client is gone did not end within ${boundMs} ms`] : []),
    ...judgement.violations,
    ...stack.agent.takeUnexpectedEnds(),
  ];
  return {
    run,
    draw,
    plan,
    met: [...met],
    outcome: outcome.state,
    ...errorOf(outcome),
    ms: outcome.ms,
    settleMs: judgement.settleMs,
    undecided: judgement.undecided,
    violations,
    ...(violations.length > 0 && {
      evidence: { exchanges: armed.exchanges, log: stack.agent.linesSince(logFrom) },
    }),
  };
}

function connectAs(stack: FaultStack, name: string, url: string): Promise<pg.Client> {
  return name === 'postgres'
    ? stack.server.connect(undefined, url)
    : stack.server.connect({ name, password: 'secret' }, url);
}

/** The event of a standby happens only for roles that can export from one: a standby has no temporary tables. */
function mayHappen(step: PlanStep, hasStandby: boolean): boolean {
  return step.what === 'aws' || step.event !== 'standby promoted' || hasStandby;
}

function has(plan: readonly PlanStep[], event: string): boolean {
  return plan.some((step) => step.what !== 'aws' && step.event === event);
}

/** How long a call may take to end, from the timeouts of all requests that may have faults. */
function boundOf(plan: readonly PlanStep[]): number {
  const attempts = MAX_ATTEMPTS * (REQUEST_TIMEOUT_MS + LONGEST_BACKOFF_MS);
  return plan.reduce((sum, step) => {
    if (step.what !== 'aws') return sum;
    return sum + (step.operation === 'AssumeRole' ? STS_DEADLINE_MS : REQUESTS_OF_A_STEP * attempts);
  }, BASE_MS);
}

function errorOf(outcome: CallOutcome): { error?: string } {
  if (outcome.state !== 'failed') return {};
  const { code, message, detail, hint } = outcome.error;
  return { error: [code, message, detail, hint].filter((part) => part !== '').join(' | ') };
}
