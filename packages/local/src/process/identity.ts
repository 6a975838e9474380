import { readFile } from 'node:fs/promises';
import { systemErrorCode } from '../errors.ts';
import { runCommand } from './run-command.ts';

/** Whether a process with this id exists, no matter whose it is. */
export function isProcessAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemErrorCode(error) === 'EPERM';
  }
}

/** The arguments a process was started with, or undefined when there is no such process. */
export async function commandLineOf(pid: number): Promise<string[] | undefined> {
  if (process.platform === 'linux') {
    const raw = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    return raw === '' ? undefined : raw.split('\0').slice(0, -1);
  }
  const { status, output } = await runCommand('ps', ['-o', 'command=', '-p', String(pid)]);
  return status === 0 ? output.trim().split(' ') : undefined;
}

/**
 * A text that differs between two processes that have had the same id one after the other: the time the process
 * started. Undefined when there is no such process.
 */
export async function processIdentity(pid: number): Promise<string | undefined> {
  if (process.platform === 'linux') {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
    // The command's name, in parentheses, may hold anything; field 22 (starttime) is the 20th after it. See proc(5).
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  }
  const { status, output } = await runCommand('ps', ['-o', 'lstart=', '-p', String(pid)]);
  return status === 0 && output.trim() !== '' ? output.trim() : undefined;
}
