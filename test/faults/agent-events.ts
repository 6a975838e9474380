import { readdir, rename, rm, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Event, EventContext } from './event-context.ts';
import { CAN_LIMIT, limitProcess } from './limit-process.ts';

const LONGEST_STOP_MS = 1_500;
/** In the test of few descriptors, how many more the agent may open. */
const SPARE_DESCRIPTORS = 4;
/** A typical limit for a small service. */
const FEW_DESCRIPTORS = 64;
/** S3 refuses signatures that differ from its clock by more than 15 minutes. */
const CLOCK_JUMP_MS = 3_600_000;

/** The events that can happen to the agent. */
export const AGENT_EVENTS: readonly (readonly [weight: number, event: string])[] = [
  [4, 'SIGKILL'],
  [3, 'SIGTERM'],
  [3, 'SIGSTOP'],
  [1, 'state directory replaced by a file'],
  [1, 'socket removed'],
  [2, 'clock jump'],
  ...(CAN_LIMIT
    ? ([
        [1, 'state directory full'],
        [1, 'no descriptors'],
        [1, '64 descriptors'],
      ] as const)
    : []),
];

const EVENTS: ReadonlyMap<string, Event> = new Map<string, Event>([
  ['SIGKILL', restartAfter('SIGKILL')],
  ['SIGTERM', restartAfter('SIGTERM')],
  [
    'SIGSTOP',
    async ({ stack: { agent }, random }) => {
      process.kill(agent.pid, 'SIGSTOP');
      const { pid } = agent;
      await delay(random.integer(20, LONGEST_STOP_MS));
      process.kill(pid, 'SIGCONT');
    },
  ],
  [
    'state directory replaced by a file',
    async ({ stack, afterCall }) => {
      const uploads = join(stack.stateDirectory, 'uploads');
      await rename(uploads, `${uploads}.away`);
      await writeFile(uploads, '');
      afterCall(async () => {
        await rm(uploads, { force: true });
        await rename(`${uploads}.away`, uploads);
      });
    },
  ],
  [
    'socket removed',
    async ({ stack, afterCall }) => {
      await unlink(join(stack.socketDirectory, '.s.PGSQL.5432')).catch(() => undefined);
      // A running agent does not create its socket again, so it is restarted.
      afterCall(async () => {
        await stack.agent.end('SIGTERM');
        await stack.agent.start();
      });
    },
  ],
  [
    'state directory full',
    async ({ stack: { agent }, afterCall }) => {
      const { pid } = agent;
      await limitProcess(pid, 'fsize', 0);
      afterCall(() => limitProcess(pid, 'fsize', 'hard'));
    },
  ],
  [
    'clock jump',
    async ({ stack: { agent }, random, afterCall }) => {
      await agent.shiftClock(random.pick([-CLOCK_JUMP_MS, CLOCK_JUMP_MS]));
      afterCall(() => agent.shiftClock(0));
    },
  ],
  [
    'no descriptors',
    async (context) => {
      const open = (await readdir(`/proc/${context.stack.agent.pid}/fd`)).map(Number);
      await limitDescriptors(context, Math.max(...open) + SPARE_DESCRIPTORS);
    },
  ],
  ['64 descriptors', (context) => limitDescriptors(context, FEW_DESCRIPTORS)],
]);

async function limitDescriptors({ stack: { agent }, afterCall }: EventContext, limit: number): Promise<void> {
  const { pid } = agent;
  await limitProcess(pid, 'nofile', limit);
  afterCall(() => limitProcess(pid, 'nofile', 'hard'));
}

export function agentEvent(name: string): Event | undefined {
  return EVENTS.get(name);
}

/** Ends the agent with a signal. It is restarted when it has ended, while its callers learn that it has. */
function restartAfter(signal: 'SIGKILL' | 'SIGTERM'): Event {
  return async ({ stack: { agent }, afterCall }) => {
    const ended = agent.end(signal).then(() => agent.start());
    ended.catch(() => undefined);
    afterCall(() => ended);
    await ended;
  };
}
