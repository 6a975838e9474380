import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { commandLineOf, parentOf } from '../process/identity.ts';

const POLL_MS = 500;

/** A process and its parent. */
interface Link {
  pid: number;
  parent: number | undefined;
}

/**
 * Calls `onGone` once when the npm that runs this command (`npx sluice local`, a script of package.json) has ended.
 *
 * npm starts a shell, and the shell starts this command. When npm gets SIGTERM, it passes it on to the shell, which
 * dies; when npm gets SIGKILL, the shell stays and waits for this command. This command gets no signal in either case,
 * but the kernel changes the parent of the orphaned process, and that is what is watched. Without npm nothing needs to
 * be watched, because signals reach this command directly.
 *
 * @returns a function that ends the watching
 */
export function watchNpm(
  environment: NodeJS.ProcessEnv,
  { onGone, log }: { onGone: () => void; log: (line: string) => void },
): () => void {
  if (environment['npm_execpath'] === undefined || environment['npm_lifecycle_event'] === undefined) {
    return () => undefined;
  }
  const watching = new AbortController();
  // ppid is read synchronously, since the parent may end at any time.
  untilNpmEnds(process.ppid, watching.signal).then(
    () => {
      if (!watching.signal.aborted) onGone();
    },
    (error: unknown) => log(`cannot see whether npm still runs: ${String(error)}`),
  );
  return () => watching.abort();
}

async function untilNpmEnds(parent: number, signal: AbortSignal): Promise<void> {
  const links = await linksToNpm(parent);
  if (links === undefined) return;
  while (!signal.aborted && (await areIntact(links))) {
    await sleep(POLL_MS, undefined, { ref: false });
  }
}

/** The processes from this one up to npm's child, one or two. Undefined when npm had ended already. */
async function linksToNpm(parent: number): Promise<Link[] | undefined> {
  const self = { pid: process.pid, parent };
  // npm runs a script with `sh -c`. A shell like bash replaces itself by a single command, and then npm is the parent.
  const isShell = (await commandLineOf(parent))?.[1] === '-c';
  const links = isShell ? [self, { pid: parent, parent: await parentOf(parent) }] : [self];
  return (await isReaper(links.at(-1)?.parent)) ? undefined : links;
}

/**
 * Whether a process adopts orphans (init). Process 1 may also be npm itself, in a container; npm, pnpm and yarn can be
 * recognised by their command lines.
 */
async function isReaper(pid: number | undefined): Promise<boolean> {
  if (pid !== 1) return pid === undefined;
  return !/\b(?:npm|npx|pnpm|yarn|bun)/.test((await commandLineOf(pid))?.join(' ') ?? '');
}

async function areIntact(links: readonly Link[]): Promise<boolean> {
  for (const { pid, parent } of links) {
    const now = pid === process.pid ? process.ppid : await parentOf(pid);
    if (now !== parent) return false;
  }
  return true;
}
