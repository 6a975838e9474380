import { setTimeout as delay } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { exportQuery } from '../support/test-stack.ts';
import { quietAgent } from './agent-status.ts';
import { contentsOf, removeContents } from './bucket-contents.ts';
import { FaultStack } from './fault-stack.ts';

/** npm run test:soak sets these. */
const SMALL = Number(process.env['SLUICE_SOAK_SMALL'] ?? 300);
const LARGE = Number(process.env['SLUICE_SOAK_LARGE'] ?? 2);
const IS_TALKATIVE = process.env['SLUICE_SOAK_SMALL'] !== undefined;

/** The local AWS runs in the process of the test, so on a busy machine it may be slow without any fault. */
const REQUEST_TIMEOUT_MS = 30_000;
const SESSIONS = 4;
const LARGE_ROWS = 200_000;
const LARGE_ROW_BYTES = 1_000;
/** In a short run Node is still compiling and filling its caches, so it can show only large growth. */
const MAY_GROW = SMALL >= 10_000 ? 0.1 : 0.5;
const SAMPLES = 10;
const SAMPLE_MS = 200;
const MS_PER_SMALL = 100;
const MS_PER_LARGE = 30_000;

it.runIf(process.platform === 'linux')(
  'an agent does not grow while it exports',
  async () => {
    await using stack = await FaultStack.start({ requestTimeoutMs: REQUEST_TIMEOUT_MS });
    await exportMany(stack, 'first', SMALL / 10, Math.max(1, LARGE / 10));
    const first = await usageAtRest(stack);
    await exportMany(stack, 'rest', (SMALL * 9) / 10, Math.max(1, (LARGE * 9) / 10));
    const last = await usageAtRest(stack);
    const problems = await quietAgent(stack);
    const measured = {
      small: SMALL,
      large: LARGE,
      largeBytes: LARGE_ROWS * LARGE_ROW_BYTES,
      first,
      last,
      problems,
    };
    if (IS_TALKATIVE) process.stdout.write(`${JSON.stringify(measured)}\n`);
    expect(problems).toEqual([]);
    expect(last.descriptors).toBeLessThanOrEqual(first.descriptors * 1.1);
    expect(last.rssBytes).toBeLessThanOrEqual(first.rssBytes * (1 + MAY_GROW));
  },
  300_000 + SMALL * MS_PER_SMALL + LARGE * MS_PER_LARGE,
);

/** Runs small exports in several sessions at once, and meanwhile the large ones one after another. */
async function exportMany(stack: FaultStack, name: string, small: number, large: number): Promise<void> {
  let left = Math.ceil(small);
  const smallOnes = Array.from({ length: SESSIONS }, async (_, index) => {
    const session = await stack.connect(index % 2 === 0 ? 'direct' : 'staged');
    for (let count = 0; left > 0; count += 1) {
      left -= 1;
      await exportQuery(session, 'SELECT generate_series(1, 100)', `${name}/small-${index}-${count % 10}`);
    }
    await session.end();
  });
  const largeOnes = async () => {
    const session = await stack.connect('direct');
    for (let count = 0; count < Math.ceil(large); count += 1) {
      await exportQuery(
        session,
        `SELECT repeat('x', ${LARGE_ROW_BYTES - 1}) FROM generate_series(1, ${LARGE_ROWS})`,
        `${name}/large`,
      );
    }
    await session.end();
  };
  await Promise.all([...smallOnes, largeOnes()]);
  await removeContents(stack.testStack, await contentsOf(stack.testStack, `${name}/`));
}

/** The median of several measurements, after a moment without exports. */
async function usageAtRest({ agent }: FaultStack): Promise<{ rssBytes: number; descriptors: number }> {
  const rss: number[] = [];
  const descriptors: number[] = [];
  for (let sample = 0; sample < SAMPLES; sample += 1) {
    await delay(SAMPLE_MS);
    const usage = await agent.usage();
    if (usage === undefined) throw new Error('the usage of the agent cannot be measured');
    rss.push(usage.rssBytes);
    descriptors.push(usage.descriptors);
  }
  return { rssBytes: middleOf(rss), descriptors: middleOf(descriptors) };
}

function middleOf(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
