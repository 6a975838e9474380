import { AGAIN } from './again.ts';
import type { ArmedPlan } from './armed-plan.ts';
import type { Contents } from './bucket-contents.ts';
import type { CallOutcome } from './call.ts';
import type { FaultStack } from './fault-stack.ts';
import type { LogLine } from './own-agent.ts';
import type { DrawnRun } from './run.ts';
import type { Leftover } from './undecidable.ts';
import { storedRows } from './stored-rows.ts';

/** What is known about a call that has left something. */
export interface LeftoverScene {
  stack: FaultStack;
  drawn: DrawnRun;
  outcome: CallOutcome;
  key: string;
  armed: ArmedPlan;
  met: readonly string[];
  logFrom: number;
  copied: () => Promise<Buffer>;
}

/** Lines of a lower level do not count: a warning is about something that was left and then cleaned up. */
const ERROR = 50;
const CALLER_LOST = new Set([
  'pg_cancel_backend',
  'pg_terminate_backend',
  'statement_timeout',
  'client gone',
  'kill -9 of the backend',
  'fast shutdown',
  'immediate shutdown',
  'SIGKILL',
  'SIGTERM',
]);

export async function findLeftovers(scene: LeftoverScene, { keys, uploads }: Contents): Promise<Leftover[]> {
  if (keys.length + uploads.length === 0) return [];
  const { stack, drawn, outcome, key, armed, met } = scene;
  const whole = new Map<string, boolean>();
  for (const found of keys) whole.set(found, await isFileOf(scene, found));
  // The session's later export may have replaced the first file.
  const isComplete = await isWholeExport(scene, keys);
  const lines = stack.agent.linesSince(scene.logFrom);
  const about = (subject: string) => ({
    key: subject,
    role: drawn.draw.role,
    isCommitted: lines.some((line) => isCommitOf(line, key)),
    callerLost: met.some((fault) => CALLER_LOST.has(fault)),
    agentKilled: met.includes('SIGKILL'),
    isComplete,
    exchanges: armed.exchanges.filter(({ subject: asked }) => asked === subject),
  });
  const leftovers: Leftover[] = [];
  for (const found of keys) {
    leftovers.push({
      ...about(found),
      kind: 'object',
      isWhole: whole.get(found) === true,
      isNamed: isNamed(outcome, lines, [found]),
    });
  }
  for (const { key: found, uploadId } of uploads) {
    leftovers.push({
      ...about(found),
      kind: 'upload',
      isWhole: false,
      isNamed: isNamed(outcome, lines, [found, uploadId]),
    });
  }
  return leftovers;
}

/**
 * Whether a log line is about the commit of the call. The session's later export under the same key is recognised by
 * its size.
 */
function isCommitOf(line: LogLine, key: string): boolean {
  return line.msg === 'export committed' && line['key'] === key && line['bytes'] !== AGAIN.length;
}

/** Whether an object is a file of the export: a piece of COPY's output, and for the plain key its beginning. */
async function isFileOf({ stack, key, copied }: LeftoverScene, found: string): Promise<boolean> {
  const object = await storedRows(stack.testStack, found).catch(() => undefined);
  if (object === undefined) return false;
  const at = (await copied()).indexOf(object);
  return found === key ? at === 0 : at > 0;
}

/** Whether the objects are all files of the export; without the plain key, which may be replaced, all the others. */
async function isWholeExport(
  { stack, key, copied }: LeftoverScene,
  keys: readonly string[],
): Promise<boolean> {
  const expected = await copied();
  const later = keys.filter((found) => found !== key).toSorted();
  const pieces = await Promise.all(
    [...(keys.includes(key) ? [key] : []), ...later].map((found) => storedRows(stack.testStack, found)),
  ).catch(() => []);
  const stored = Buffer.concat(pieces);
  return keys.includes(key)
    ? stored.equals(expected)
    : stored.length > 0 && expected.subarray(-stored.length).equals(stored);
}

function isNamed(outcome: CallOutcome, lines: readonly LogLine[], names: readonly string[]): boolean {
  const error = outcome.state === 'failed' ? `${outcome.error.detail} ${outcome.error.hint}` : '';
  const errors = lines.filter(saysWhatIsLeft).map((line) => JSON.stringify(line));
  return [error, ...errors].some((text) => names.some((name) => mentions(text, name)));
}

/** An error, or the warning about an object that the agent takes for another's. */
function saysWhatIsLeft({ level = 0, msg = '' }: LogLine): boolean {
  return level >= ERROR || msg.startsWith('another object is stored by now');
}

/** True if the text contains the whole name: `run-1/file` does not occur in `run-1/file_part2`. */
function mentions(text: string, name: string): boolean {
  for (let at = text.indexOf(name); at !== -1; at = text.indexOf(name, at + 1)) {
    if (!/[\w/]/.test(text[at + name.length] ?? '')) return true;
  }
  return false;
}
