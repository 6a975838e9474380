import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Linux has prlimit (util-linux), by which a user may limit their own processes while they run. */
export const CAN_LIMIT = (process.env['PATH'] ?? '').split(delimiter).some((directory) => {
  try {
    accessSync(join(directory, 'prlimit'), constants.X_OK);
    return true;
  } catch {
    return false;
  }
});

/**
 * Sets the soft limit of a running process.
 *
 * @param limit `fsize` (a write beyond it fails with EFBIG, as one on a full disk does with ENOSPC) or `nofile`
 */
export async function limitProcess(
  pid: number,
  limit: 'fsize' | 'nofile',
  value: number | 'hard',
): Promise<void> {
  // As the user that the process runs as: even root may need a capability to limit those of others.
  const { uid, gid } = await stat(`/proc/${pid}`);
  const as = process.getuid?.() === uid ? {} : { uid, gid };
  const { stdout } = await run(
    'prlimit',
    [`--pid=${pid}`, `--${limit}`, '--output=HARD', '--noheadings', '--raw'],
    as,
  );
  const hard = stdout.trim();
  await run('prlimit', [`--pid=${pid}`, `--${limit}=${value === 'hard' ? hard : value}:${hard}`], as);
}
