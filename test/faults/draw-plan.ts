import { S3_ANSWERS, STS_ANSWERS, type AwsFault } from './aws-fault.ts';
import type { AwsStep, EventStep, Moment, PlanStep } from './fault-plan.ts';
import type { SeededRandom } from './seeded-random.ts';
import { AGENT_EVENTS } from './agent-events.ts';
import { SERVER_EVENTS } from './server-events.ts';
import { SESSION_EVENTS } from './session-events.ts';

const MAX_STEPS = 3;
const LATEST_EVENT_MS = 400;

/** Nothing to three faults. What stops a whole server is rare, as it stops the other runs, too. */
export function drawPlan(random: SeededRandom): PlanStep[] {
  const count = random.weighted([
    [2, 0],
    [8, 1],
    [4, 2],
    [2, MAX_STEPS],
  ] as const);
  return Array.from({ length: count }, () =>
    random.weighted<() => PlanStep>([
      [80, () => drawAwsStep(random)],
      [2, () => drawStsStep(random)],
      [13, () => drawEvent(random, 'session', SESSION_EVENTS)],
      [4, () => drawEvent(random, 'agent', AGENT_EVENTS)],
      [0.6, () => drawEvent(random, 'server', SERVER_EVENTS)],
    ])(),
  );
}

function drawAwsStep(random: SeededRandom): AwsStep {
  const operation = random.weighted<AwsStep['operation']>([
    [5, 'PutObject'],
    [5, 'CreateMultipartUpload'],
    [6, 'UploadPart'],
    [6, 'CompleteMultipartUpload'],
    [4, 'AbortMultipartUpload'],
    [1, 'HeadObject'],
    [1, 'DeleteObject'],
    [1, 'ListMultipartUploads'],
  ]);
  return {
    what: 'aws',
    operation,
    nth: random.weighted([
      [4, 1],
      [2, 2],
      [1, 3],
    ] as const),
    // As often as the agent tries, and for good, too.
    times: random.pick([1, 1, 2, 3, 1000]),
    fault: drawS3Fault(random),
  };
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
): EventStep {
  const when: Moment = random.chance(0.5)
    ? { afterMs: random.integer(0, LATEST_EVENT_MS) }
    : {
        operation: random.pick([
          'PutObject',
          'CreateMultipartUpload',
          'UploadPart',
          'CompleteMultipartUpload',
        ]),
        nth: random.pick([1, 1, 2]),
      };
  return { what, event: random.weighted(events), when };
}
