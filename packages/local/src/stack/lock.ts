import { randomBytes } from 'node:crypto';
import { link, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
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
 * Takes the lock of a state directory.
 *
 * The lock is the file `lock.<n>` with the highest number. It contains the process id of its holder and the time when
 * that process started. So a lock that a killed process left is recognised, even when its id is used again. Such a file
 * is not removed, because that would race with other processes doing the same; instead the next number is taken. So the
 * highest number never decreases, only the process that made that file holds the lock, and files with lower numbers are
 * removed only by that process. A released lock is an empty file.
 *
 * @throws LocalError already_running
 */
export async function lockState(directory: string): Promise<StateLock> {
  const own = join(directory, `.lock-${randomBytes(6).toString('hex')}`);
  const content = JSON.stringify({ pid: process.pid, identity: await processIdentity(process.pid) });
  await writeFile(own, content, { mode: 0o600, flag: 'wx' });
  try {
    for (;;) {
      const highest = await highestNumber(directory);
      await refuseIfHeld(directory, lockFile(directory, highest));
      const next = lockFile(directory, highest + 1);
      if (!(await linkUnlessThere(own, next))) continue;
      if ((await highestNumber(directory)) !== highest + 1) {
        // Meanwhile others have taken and released the lock, so this file is not the highest any more.
        await rm(next, { force: true });
        continue;
      }
      await removeLower(directory, highest + 1);
      return { release: () => truncate(next) };
    }
  } finally {
    await rm(own, { force: true });
  }
}

function lockFile(directory: string, number: number): string {
  return join(directory, `lock.${number}`);
}

async function lockNumbers(directory: string): Promise<number[]> {
  const names = await readdir(directory);
  return names.flatMap((name) => (/^lock\.\d+$/.test(name) ? [Number(name.slice('lock.'.length))] : []));
}

async function highestNumber(directory: string): Promise<number> {
  return Math.max(0, ...(await lockNumbers(directory)));
}

async function removeLower(directory: string, number: number): Promise<void> {
  for (const other of await lockNumbers(directory)) {
    if (other < number) await rm(lockFile(directory, other), { force: true });
  }
}

/** A hard link appears together with its content, so no other process can read an incomplete file. */
async function linkUnlessThere(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (systemErrorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

async function refuseIfHeld(directory: string, file: string): Promise<void> {
  const holder = parseHolder(await readFile(file, 'utf8').catch(() => ''));
  if (holder === undefined || !(await isHeld(holder))) return;
  throw new LocalError(
    'already_running',
    `another local stack runs in ${directory} (process ${holder.pid})`,
    {
      hint: 'Stop it first, or choose another directory with --dir.',
    },
  );
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
