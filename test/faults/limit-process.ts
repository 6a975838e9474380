import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * Whether there is prlimit (Linux, util-linux), which lets a user change the limits of a running process of their own.
 */
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
 * @param limit `fsize` (a write beyond it fails with EFBIG; on a full disk it would be ENOSPC) or `nofile`
 */
export async function limitProcess(
  pid: number,
  limit: 'fsize' | 'nofile',
  value: number | 'hard',
): Promise<void> {
  // prlimit runs as the user of the process: even root may need a capability to limit processes of other users.
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
