import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { quietAgent } from './agent-status.ts';
import { contentsOf, removeContents, type Contents } from './bucket-contents.ts';
import { CopiedBytes } from './copied-bytes.ts';
import { FaultStack } from './fault-stack.ts';
import { Load } from './load.ts';
import { SeededRandom } from './seeded-random.ts';

/** npm run test:kills sets these. */
const KILLS = Number(process.env['SLUICE_KILLS'] ?? 5);
const SEED = Number(process.env['SLUICE_KILLS_SEED'] ?? 1);
const IS_TALKATIVE = process.env['SLUICE_KILLS'] !== undefined;

const SESSIONS = 6;
const LONGEST_LIFE_MS = 1_500;
/** The agent finishes what those before it left in the background. */
const SETTLE_MS = 30_000;
const MS_PER_KILL = 20_000;

it(
  'an agent that is killed at any moment stores no wrong object, and leaves nothing once it runs again',
  async () => {
    await using stack = await FaultStack.start();
    const random = new SeededRandom('kills', SEED);
    const load = new Load(stack, new CopiedBytes(stack), { sessions: SESSIONS, seed: SEED });
    for (let kill = 0; kill < KILLS; kill += 1) {
      await delay(random.integer(0, LONGEST_LIFE_MS));
      await stack.agent.end('SIGKILL');
      await stack.agent.start();
    }
    const { succeeded, failed, wrong } = await load.stop();
    const left = await leftOf(stack);
    const problems = [...wrong, ...left, ...(await quietAgent(stack)), ...stack.agent.takeUnexpectedEnds()];
    const measured = { seed: SEED, kills: KILLS, sessions: SESSIONS, succeeded, failed, problems };
    if (IS_TALKATIVE) process.stdout.write(`${JSON.stringify(measured)}\n`);
    expect(problems).toEqual([]);
    expect(succeeded).toBeGreaterThan(0);
    expect(failed).toBeGreaterThan(0);
  },
  Math.max(300_000, KILLS * MS_PER_KILL),
);

/** What is in the bucket when nothing goes away any more: every success was removed by whoever checked it. */
async function leftOf({ testStack, agent }: FaultStack): Promise<string[]> {
  const deadline = Date.now() + SETTLE_MS;
  let contents: Contents;
  for (;;) {
    contents = await contentsOf(testStack, '');
    if (contents.keys.length + contents.uploads.length === 0 || Date.now() > deadline) break;
    await delay(100);
  }
  await removeContents(testStack, contents);
  // An export whose success the agent had told, or could have told, when it was killed: its caller cannot know.
  const committed = new Set(
    agent.linesSince(0).flatMap(({ msg, key }) => (msg === 'export committed' ? String(key) : [])),
  );
  return [
    ...contents.keys
      .filter((key) => !committed.has(key.replace(/_part\d+$/, '')))
      .map((key) => `left an object ${key}`),
    ...contents.uploads.map(({ key }) => `left an upload of ${key}`),
  ];
}
