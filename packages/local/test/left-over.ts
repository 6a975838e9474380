import { readdir } from 'node:fs/promises';
import { commandLineOf } from '../src/process/identity.ts';
import { runCommand } from '../src/process/run-command.ts';

interface RunningProcess {
  pid: number;
  commandLine: string;
}

/** The running processes whose command lines name a path, e.g. a state directory. */
export async function processesNaming(path: string): Promise<RunningProcess[]> {
  return (await allProcesses()).filter(({ commandLine }) => commandLine.includes(path));
}

/** The lifeline shells of the processes whose command lines contain a path. */
export async function lifelinesOf(path: string): Promise<number[]> {
  const all = await allProcesses();
  const guarded = all.filter(({ commandLine }) => commandLine.includes(path));
  const marks = guarded.map(({ pid }) => `sluice-lifeline ${pid} `);
  return all
    .filter(({ commandLine }) => marks.some((mark) => commandLine.includes(mark)))
    .map(({ pid }) => pid);
}

async function allProcesses(): Promise<RunningProcess[]> {
  if (process.platform !== 'linux') {
    const { output } = await runCommand('ps', ['ax', '-o', 'pid=,command=']);
    return output.split('\n').map((line) => {
      const [pid = '', ...words] = line.trim().split(/\s+/);
      return { pid: Number(pid), commandLine: words.join(' ') };
    });
  }
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  return Promise.all(
    pids.map(async (pid) => ({ pid, commandLine: (await commandLineOf(pid))?.join(' ') ?? '' })),
  );
}
