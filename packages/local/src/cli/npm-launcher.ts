import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { commandLineOf, parentOf } from '../process/identity.ts';

const POLL_MS = 500;

/** A process, and the one that started it. */
interface Link {
  pid: number;
  parent: number | undefined;
}

/**
 * Calls `onGone` once when the npm that runs this command (`npx sluice local`, a script of package.json) has ended.
 *
 * npm starts a shell, which starts us. Killed by SIGTERM, npm passes it to the shell only, which dies of it; killed by
 * SIGKILL, npm leaves a shell that waits for us for ever. We are told nothing in either case, but the kernel gives the
 * orphan another parent. Without npm nothing is watched: a signal to the command itself arrives.
 *
 * @returns ends the watching
 */
export function watchNpm(
  environment: NodeJS.ProcessEnv,
  { onGone, log }: { onGone: () => void; log: (line: string) => void },
): () => void {
  if (environment['npm_execpath'] === undefined || environment['npm_lifecycle_event'] === undefined) {
    return () => undefined;
  }
  const watching = new AbortController();
  // Read before anything is awaited: our parent may end at any time.
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

/** From us to npm, one or two steps; undefined when npm has ended before we could look. */
async function linksToNpm(parent: number): Promise<Link[] | undefined> {
  const self = { pid: process.pid, parent };
  // npm gives the shell the script by -c. A shell like bash runs a single command in its own place: npm is our parent.
  const isShell = (await commandLineOf(parent))?.[1] === '-c';
  const links = isShell ? [self, { pid: parent, parent: await parentOf(parent) }] : [self];
  return (await isReaper(links.at(-1)?.parent)) ? undefined : links;
}

/**
 * Whether a process is the one that takes over orphans, and not npm as the first process of a container.
 * npm names itself in its command line, as do pnpm and yarn.
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
