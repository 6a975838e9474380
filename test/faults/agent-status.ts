import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { FaultStack } from './fault-stack.ts';

const QUIET_TIMEOUT_MS = 15_000;
/** The part buffers may take 96 MiB (see FaultStack); Node, the AWS SDK and PostgreSQL's parser take the rest. */
const MAX_RSS_BYTES = 512 * 1024 ** 2;

/**
 * Waits until the agent is idle and holds nothing of any export. Only to be called while no run is in progress.
 *
 * @returns what is wrong
 */
export async function quietAgent(stack: FaultStack): Promise<string[]> {
  const problems: string[] = [];
  const deadline = Date.now() + QUIET_TIMEOUT_MS;
  for (;;) {
    const left = await leftAt(stack);
    if (left.length === 0) break;
    if (Date.now() > deadline) {
      problems.push(...left);
      break;
    }
    await delay(50);
  }
  const { rssBytes = 0 } = (await stack.agent.usage()) ?? {};
  if (rssBytes > MAX_RSS_BYTES) problems.push(`the agent takes ${Math.round(rssBytes / 1024 ** 2)} MiB`);
  return problems;
}

async function leftAt(stack: FaultStack): Promise<string[]> {
  const left: string[] = [];
  const status = await statusOf(stack);
  if (status.exports > 0) left.push(`${status.exports} exports still run at the agent`);
  const pipes = await readdir(join(stack.socketDirectory, 'pipes'));
  if (pipes.length !== status.readyPipes) left.push(`${pipes.length - status.readyPipes} pipes are left`);
  return left;
}

function statusOf(stack: FaultStack): Promise<{ exports: number; readyPipes: number }> {
  return stack.asSuperuser(async (superuser) => {
    await superuser.query(`SELECT sluice.connect('status')`);
    const { rows } = await superuser.query<{ status: { exports: number; readyPipes: number } }>(
      `SELECT sluice.request('status', '{"op": "ping"}') AS status`,
    );
    const status = rows[0]?.status;
    if (status === undefined) throw new Error('the agent gave no status');
    return status;
  });
}
