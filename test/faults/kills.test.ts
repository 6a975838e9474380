import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { quietAgent } from './agent-status.ts';
import { contentsOf, removeContents, type Contents } from './bucket-contents.ts';
import { CopiedBytes } from './copied-bytes.ts';
import { FaultStack } from './fault-stack.ts';
import { Load, type LoadResult } from './load.ts';
import { SeededRandom } from './seeded-random.ts';
import { storedRows } from './stored-rows.ts';

/** npm run test:kills sets these. */
const KILLS = Number(process.env['SLUICE_KILLS'] ?? 3);
const SEED = Number(process.env['SLUICE_KILLS_SEED'] ?? 1);
const IS_TALKATIVE = process.env['SLUICE_KILLS'] !== undefined;

const SESSIONS = 6;
const LONGEST_LIFE_MS = 3_000;
/** How long the last agent may take to clean up what the killed ones have left. */
const SETTLE_MS = 30_000;
/**
 * A kill between the last note in the journal and the answer leaves a whole export behind. That moment is short, so
 * such kills are rare. But in a run with few kills on a busy machine, one kill may hit several sessions in that moment.
 */
const UNHEARD_PER_KILL = 0.1;
const MS_PER_KILL = 20_000;

it(
  'an agent that is killed at any moment stores no wrong object, and leaves nothing once it runs again',
  async () => {
    await using stack = await FaultStack.start();
    const random = new SeededRandom('kills', SEED);
    const copied = new CopiedBytes(stack);
    const load = new Load(stack, copied, { sessions: SESSIONS, seed: SEED });
    for (let kill = 0; kill < KILLS; kill += 1) {
      await delay(random.integer(0, LONGEST_LIFE_MS));
      await stack.agent.end('SIGKILL');
      await stack.agent.start();
    }
    const { succeeded, failed, wrong, failures } = await load.stop();
    const { unheard, left } = await leftOf(stack, copied, failures);
    const problems = [...wrong, ...left, ...(await quietAgent(stack)), ...stack.agent.takeUnexpectedEnds()];
    const measured = { seed: SEED, kills: KILLS, sessions: SESSIONS, succeeded, failed, unheard, problems };
    if (IS_TALKATIVE) process.stdout.write(`${JSON.stringify(measured)}\n`);
    expect(problems).toEqual([]);
    expect(unheard).toBeLessThanOrEqual(Math.max(SESSIONS, KILLS * UNHEARD_PER_KILL));
    expect(succeeded).toBeGreaterThan(0);
    expect(failed).toBeGreaterThan(0);
  },
  Math.max(300_000, KILLS * MS_PER_KILL),
);

/**
 * What is in the bucket when it does not change any more. The objects of successful exports were removed when they were
 * checked.
 */
async function leftOf(
  { testStack }: FaultStack,
  copied: CopiedBytes,
  failures: LoadResult['failures'],
): Promise<{ unheard: number; left: string[] }> {
  const deadline = Date.now() + SETTLE_MS;
  let contents: Contents;
  for (;;) {
    contents = await contentsOf(testStack, '');
    if (contents.keys.length + contents.uploads.length === 0 || Date.now() > deadline) break;
    await delay(100);
  }
  const left = contents.uploads.map(({ key }) => `left an upload of ${key}`);
  let unheard = 0;
  const exports = new Map<string, string[]>();
  for (const file of contents.keys) {
    const key = file.replace(/_part\d+$/, '');
    exports.set(key, [...(exports.get(key) ?? []), file]);
  }
  for (const [key, files] of exports) {
    const failure = failures.get(key);
    const objects = await Promise.all(files.map((file) => storedRows(testStack, file)));
    const isWhole =
      failure !== undefined && Buffer.concat(objects).equals(await copied.of(failure.query, failure.options));
    if (isWhole) unheard += 1;
    else left.push(`left ${files.length} objects of ${key}, which are not all of its export`);
  }
  await removeContents(testStack, contents);
  return { unheard, left };
}
