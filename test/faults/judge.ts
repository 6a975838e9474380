import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import { AGAIN, AGAIN_QUERY } from './again.ts';
import type { ArmedPlan } from './armed-plan.ts';
import { contentsOf, removeContents, type Contents } from './bucket-contents.ts';
import { call, type CallOutcome } from './call.ts';
import { findLeftovers, type LeftoverScene } from './leftovers.ts';
import { leftInSession } from './session-leftovers.ts';
import type { FaultStack } from './fault-stack.ts';
import type { DrawnRun } from './run.ts';
import { RULES, type Leftover } from './undecidable.ts';
import { storedRows } from './stored-rows.ts';

export interface Scene extends LeftoverScene {
  stack: FaultStack;
  drawn: DrawnRun;
  outcome: CallOutcome;
  session: pg.Client;
  reconnect: () => Promise<pg.Client>;
  prefix: string;
  armed: ArmedPlan;
}

export interface Judgement {
  settleMs: number;
  undecided: string[];
  violations: string[];
}

/** How long the background clean-up may take. */
const SETTLE_MS = 12_000;
/** How long to wait for something that a rule explains, because it may still be removed. */
const EXPLAINED_MS = 1_000;
const AGAIN_MS = 30_000;

/** Waits until a call has settled, compares the bucket with what the call reported, and empties it. */
export async function judge(scene: Scene): Promise<Judgement> {
  const violations: string[] = [];
  if (scene.outcome.state === 'failed' && scene.met.length === 0)
    violations.push(`failed without a fault: ${scene.outcome.error.message} ${scene.outcome.error.detail}`);
  const succeeded = scene.outcome.state === 'succeeded';
  let exportedAgain = false;
  if (succeeded) violations.push(...(await checkObjects(scene)));
  else if (scene.drawn.againAtOnce) {
    violations.push(...(await exportAgain(scene)));
    exportedAgain = true;
  }
  const settled = await settle(scene, exportedAgain);
  violations.push(...settled.unexplained);
  if (!exportedAgain) violations.push(...(await exportAgain(scene)));
  const again = await scene.stack.testStack.object(scene.key).catch(() => undefined);
  if (again?.equals(AGAIN) !== true) violations.push('what the session exported afterwards is not there');
  await removeContents(scene.stack.testStack, await contentsOf(scene.stack.testStack, scene.prefix));
  return { settleMs: settled.ms, undecided: settled.undecided, violations };
}

/** After a success, the concatenated files must be what COPY writes. */
async function checkObjects({ stack, outcome, key, copied }: Scene): Promise<string[]> {
  if (outcome.state !== 'succeeded') return [];
  const { files, bytes } = outcome.row;
  const rows: Buffer[] = [];
  let storedBytes = 0;
  for (let file = 1; file <= files; file += 1) {
    const name = file === 1 ? key : `${key}_part${file}`;
    const object = await stack.testStack.object(name).catch(() => undefined);
    if (object === undefined) return [`succeeded, but file ${file} of ${files} is not there`];
    storedBytes += object.length;
    rows.push(await storedRows(stack.testStack, name).catch(() => Buffer.from('not a whole gzip file')));
  }
  const written = Buffer.concat(rows);
  if (!written.equals(await copied()))
    return [`succeeded, but the objects are not COPY's bytes (${written.length})`];
  return bytes === storedBytes ? [] : [`said ${bytes} bytes, stored ${storedBytes}`];
}

/** Waits until nothing unexpected is left, what is left is explained by a rule, or the time is up. */
async function settle(scene: Scene, exportedAgain: boolean) {
  const startedAt = performance.now();
  let explainedAt: number | undefined;
  for (;;) {
    const ms = Math.round(performance.now() - startedAt);
    const contents = unexpected(await contentsOf(scene.stack.testStack, scene.prefix), scene, exportedAgain);
    const leftovers = await findLeftovers(scene, contents);
    const isExplained = leftovers.every((leftover) => ruleOf(leftover) !== undefined);
    explainedAt = isExplained ? (explainedAt ?? ms) : undefined;
    const isOver =
      leftovers.length === 0 ||
      ms > SETTLE_MS ||
      (explainedAt !== undefined && ms - explainedAt > EXPLAINED_MS);
    if (isOver) {
      return {
        ms,
        undecided: leftovers.flatMap((leftover) => ruleOf(leftover) ?? []),
        unexplained: leftovers.filter((leftover) => ruleOf(leftover) === undefined).map(describe),
      };
    }
    await delay(50);
  }
}

function unexpected({ keys, uploads }: Contents, { outcome, key }: Scene, exportedAgain: boolean): Contents {
  const files = outcome.state === 'succeeded' ? outcome.row.files : exportedAgain ? 1 : 0;
  const expected = new Set(
    Array.from({ length: files }, (_, index) => (index === 0 ? key : `${key}_part${index + 1}`)),
  );
  return { keys: keys.filter((found) => !expected.has(found)), uploads };
}

function ruleOf(leftover: Leftover): string | undefined {
  return RULES.find(({ holds }) => holds(leftover))?.name;
}

function describe({ kind, key, isWhole, isNamed, isCommitted }: Leftover): string {
  const words = [
    kind === 'object' && (isWhole ? 'whole' : 'NOT what COPY writes'),
    isNamed ? 'named' : 'not named',
    isCommitted && 'committed',
  ];
  return `left an ${kind} ${key} (${words.filter(Boolean).join(', ')})`;
}

/** Exports under the same key in the same session, or in a new one if that was ended. */
async function exportAgain(scene: Scene): Promise<string[]> {
  const { session, reconnect, key } = scene;
  const isUsable = await session.query('RESET statement_timeout').then(
    () => true,
    () => false,
  );
  const next = isUsable && !scene.met.includes('standby promoted') ? session : await reconnect();
  if (next !== session) await session.end().catch(() => undefined);
  try {
    const left = isUsable && next === session ? await leftInSession(next) : [];
    const outcome = await call(next, { query: AGAIN_QUERY, key, options: 'format text' }, AGAIN_MS);
    const problems = [...left, ...(await leftInSession(next))];
    if (outcome.state === 'succeeded') return problems;
    const error = outcome.state === 'failed' ? `${outcome.error.message} ${outcome.error.detail}` : '';
    return [...problems, `the session cannot export again: ${outcome.state} ${error}`];
  } finally {
    await next.end().catch(() => undefined);
  }
}
