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
 * The parent of a process: the one that started it, or that adopted it later. Undefined when there is no such process.
 */
export async function parentOf(pid: number): Promise<number | undefined> {
  const text =
    process.platform === 'linux'
      ? (await statFields(pid))[1]
      : (await runCommand('ps', ['-o', 'ppid=', '-p', String(pid)])).output.trim();
  return text === undefined || text === '' ? undefined : Number(text);
}

/**
 * The start time of a process, as a text. It tells apart two processes that had the same id one after the other.
 * Undefined when there is no such process.
 */
export async function processIdentity(pid: number): Promise<string | undefined> {
  // Field 22 (starttime).
  if (process.platform === 'linux') return (await statFields(pid))[19];
  const { status, output } = await runCommand('ps', ['-o', 'lstart=', '-p', String(pid)]);
  return status === 0 && output.trim() !== '' ? output.trim() : undefined;
}

/**
 * The fields of /proc/<pid>/stat from the third (state) on. The name before them, in parentheses, may contain spaces.
 */
async function statFields(pid: number): Promise<string[]> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return stat === '' ? [] : stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}
