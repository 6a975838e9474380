import { randomBytes } from 'node:crypto';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { LocalError, systemErrorCode } from '../errors.ts';
import { processIdentity } from '../process/identity.ts';

const schema = z.object({ pid: z.int().min(1), identity: z.string().optional() });

/** The right to use a state directory, held until released. */
export interface StateLock {
  release(): Promise<void>;
}

/**
 * Takes the lock of a state directory: the file `lock`, which names our process by its id and the time it started,
 * so that a lock left by a process that was killed is recognised even after its id is used again.
 */
export async function lockState(directory: string): Promise<StateLock> {
  const lock = join(directory, 'lock');
  const own = join(directory, `.lock-${randomBytes(6).toString('hex')}`);
  const content = JSON.stringify({ pid: process.pid, identity: await processIdentity(process.pid) });
  await writeFile(own, content, { mode: 0o600, flag: 'wx' });
  try {
    for (;;) {
      // A hard link appears with its content, or not at all.
      if (await linkUnlessThere(own, lock)) return { release: () => rm(lock, { force: true }) };
      await removeStaleLock(directory, lock);
    }
  } finally {
    await rm(own, { force: true });
  }
}

async function linkUnlessThere(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (systemErrorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

async function removeStaleLock(directory: string, lock: string): Promise<void> {
  const seen = await readFile(lock, 'utf8').catch(() => undefined);
  if (seen === undefined) return;
  const holder = parseHolder(seen);
  if (holder !== undefined && (await isHeld(holder))) {
    throw new LocalError(
      'already_running',
      `another local stack runs in ${directory} (process ${holder.pid})`,
      {
        hint: 'Stop it first, or choose another directory with --dir.',
      },
    );
  }
  // Two starts may both have seen the stale lock: one of them may take it away, and never the other's new one.
  const aside = `${lock}-${randomBytes(6).toString('hex')}`;
  try {
    await rename(lock, aside);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return;
    throw error;
  }
  if ((await readFile(aside, 'utf8')) !== seen) await linkUnlessThere(aside, lock);
  await rm(aside, { force: true });
}

function parseHolder(content: string) {
  try {
    return schema.parse(JSON.parse(content));
  } catch {
    return undefined;
  }
}

async function isHeld({ pid, identity }: z.output<typeof schema>): Promise<boolean> {
  const now = await processIdentity(pid);
  return now !== undefined && (identity === undefined || now === identity);
}
