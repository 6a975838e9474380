import { S3_ANSWERS, STS_ANSWERS, type AwsFault } from './aws-fault.ts';
import type { AwsStep, EventStep, Moment, PlanStep } from './fault-plan.ts';
import { isLarge, type ExportDraw } from './export-draw.ts';
import type { SeededRandom } from './seeded-random.ts';
import { AGENT_EVENTS } from './agent-events.ts';
import { SERVER_EVENTS } from './server-events.ts';
import { SESSION_EVENTS } from './session-events.ts';

const MAX_STEPS = 3;

type Operation = Exclude<AwsStep['operation'], 'AssumeRole'>;

/** The requests of an export without faults, and the largest number of each. */
const SENT = {
  small: [['PutObject', 1]],
  large: [
    ['CreateMultipartUpload', 3],
    ['UploadPart', 6],
    ['CompleteMultipartUpload', 3],
    ['PutObject', 1],
  ],
} as const satisfies Record<string, readonly (readonly [Operation, number])[]>;
/** The requests that are sent only after a failure. */
const SENT_AFTERWARDS = [
  'AbortMultipartUpload',
  'HeadObject',
  'DeleteObject',
  'ListMultipartUploads',
] as const;
/** The faults that lead to these requests. */
const TROUBLE: Record<keyof typeof SENT, readonly AwsStep[]> = {
  small: [trouble('PutObject', 1, 1000, { do: 'reset', when: 'after the effect' })],
  large: [
    trouble('CompleteMultipartUpload', 2, 1000, { do: 'answer', status: 403, code: 'AccessDenied' }),
    trouble('CompleteMultipartUpload', 1, 1000, { do: 'no-answer', effect: true }),
    trouble('CreateMultipartUpload', 1, 1, { do: 'reset', when: 'after the effect' }),
    trouble('UploadPart', 2, 1000, { do: 'answer', status: 403, code: 'AccessDenied' }),
  ],
};
const LATEST_EVENT_MS = { small: 30, large: 350 };

/** Draws up to three faults. Those that stop a whole server are rare, since they also stop the other runs. */
export function drawPlan(random: SeededRandom, draw: ExportDraw): PlanStep[] {
  const size = isLarge(draw) ? 'large' : 'small';
  const count = random.weighted([
    [1, 0],
    [8, 1],
    [4, 2],
    [2, MAX_STEPS],
  ] as const);
  const steps: PlanStep[] = [];
  while (steps.length < count) {
    const drawn = random.weighted<() => PlanStep[]>([
      [62, () => [drawAwsStep(random, size)]],
      [14, () => [random.pick(TROUBLE[size]), drawStepAfterwards(random)]],
      [2, () => [drawStsStep(random)]],
      [13, () => [drawEvent(random, 'session', SESSION_EVENTS, size)]],
      [6, () => [drawEvent(random, 'agent', AGENT_EVENTS, size)]],
      [0.4, () => [drawEvent(random, 'server', SERVER_EVENTS, size)]],
    ])();
    steps.push(...drawn.slice(0, MAX_STEPS - steps.length));
  }
  return steps;
}

function trouble(operation: Operation, nth: number, times: number, fault: AwsFault): AwsStep {
  return { what: 'aws', operation, nth, times, fault };
}

function drawAwsStep(random: SeededRandom, size: keyof typeof SENT): AwsStep {
  const [operation, most] = random.pick<readonly [Operation, number]>(SENT[size]);
  return {
    what: 'aws',
    operation,
    nth: random.integer(1, random.integer(1, most)),
    times: drawTimes(random),
    fault: drawS3Fault(random),
  };
}

function drawStepAfterwards(random: SeededRandom): AwsStep {
  const operation = random.pick(SENT_AFTERWARDS);
  return { what: 'aws', operation, nth: 1, times: drawTimes(random), fault: drawS3Fault(random) };
}

/** A fault happens once, for as many attempts as the agent makes, or for good. */
function drawTimes(random: SeededRandom): number {
  return random.pick([1, 1, 2, 3, 1000]);
}

function drawS3Fault(random: SeededRandom): AwsFault {
  return random.weighted<() => AwsFault>([
    [8, () => ({ do: 'answer', ...drawAnswer(random, S3_ANSWERS) })],
    [3, () => ({ do: 'answer-early', ...drawAnswer(random, S3_ANSWERS) })],
    [
      4,
      () => ({
        do: 'reset',
        when: random.pick(['before the body', 'in the body', 'after the body', 'after the effect'] as const),
      }),
    ],
    [3, () => ({ do: 'no-answer', effect: random.chance(0.6) })],
    [1, () => ({ do: 'dribble' })],
    [1, () => ({ do: 'slow-body' })],
    [2, () => ({ do: 'cut-answer' })],
    [2, () => ({ do: 'empty-answer' })],
    [2, () => ({ do: 'truncated-answer' })],
    [2, () => ({ do: 'error-body', effect: random.chance(0.5) })],
    [1, () => ({ do: 'wrong-etag' })],
    [1, () => ({ do: 'no-etag' })],
    [1, () => ({ do: 'damage-body' })],
    [1, () => ({ do: 'garbage' })],
  ])();
}

function drawStsStep(random: SeededRandom): AwsStep {
  const fault = random.weighted<() => AwsFault>([
    [3, () => ({ do: 'answer', ...drawAnswer(random, STS_ANSWERS) })],
    [2, () => ({ do: 'reset', when: 'after the body' })],
    [2, () => ({ do: 'garbage' })],
    [0.5, () => ({ do: 'no-answer', effect: false })],
  ])();
  return { what: 'aws', operation: 'AssumeRole', nth: 1, times: random.pick([1, 2, 1000]), fault };
}

function drawAnswer(random: SeededRandom, answers: readonly (readonly [status: number, code: string])[]) {
  const [status, code] = random.pick(answers);
  return { status, code };
}

function drawEvent(
  random: SeededRandom,
  what: EventStep['what'],
  events: readonly (readonly [weight: number, event: string])[],
  size: keyof typeof SENT,
): EventStep {
  const [operation, most] = random.pick<readonly [Operation, number]>(SENT[size]);
  const when: Moment = random.chance(0.5)
    ? { afterMs: random.integer(0, LATEST_EVENT_MS[size]) }
    : { operation, nth: random.integer(1, random.integer(1, most)) };
  return { what, event: random.weighted(events), when };
}
