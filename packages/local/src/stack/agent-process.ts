import { spawn, type ChildProcess } from 'node:child_process';
import { open, readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { LocalError } from '../errors.ts';
import { logTail } from '../postgres/log-tail.ts';
import { endProcess, type EndingStep } from '../process/end-process.ts';
import { commandLineOf, isProcessAlive } from '../process/identity.ts';
import { attachLifeline } from '../process/lifeline.ts';
import { waitUntil } from '../process/wait-until.ts';
import { sluicePackage } from './sluice-package.ts';

const START_TIMEOUT_MS = 30_000;

/** SIGTERM ends running exports or aborts them. */
const AGENT_ENDING: readonly [EndingStep, ...EndingStep[]] = [
  { signal: 'SIGTERM', waitMs: 15_000 },
  { signal: 'SIGKILL', waitMs: 5000 },
];

export interface AgentOptions {
  /** sluice.toml. */
  configFile: string;
  /** Holds the agent's socket. */
  socketDirectory: string;
  logFile: string;
  /** Contains the process id, so that a later run finds an agent that was left behind. */
  pidFile: string;
  log: (line: string) => void;
}

/** Ends the agent that an earlier run left, if there is one. The caller holds the lock of the state directory. */
export async function stopLeftoverAgent({
  pidFile,
  configFile,
  log,
}: Pick<AgentOptions, 'pidFile' | 'configFile' | 'log'>): Promise<void> {
  const pid = Number.parseInt(await readFile(pidFile, 'utf8').catch(() => ''), 10);
  if (!(pid > 1) || (await commandLineOf(pid))?.includes(configFile) !== true) return;
  log(`stopping the agent that an earlier run left behind (process ${pid})`);
  await endProcess(pid, AGENT_ENDING, () => !isProcessAlive(pid));
}

/** One run of the agent. */
export interface RunningAgent {
  readonly pid: number;
  /** Resolves when it has ended, with a description such as "exit status 1". */
  readonly ended: Promise<string>;
  hasEnded(): boolean;
}

/** Starts the agent as a child process, and waits until it listens. */
export async function startAgent(
  options: AgentOptions,
  { signal }: { signal?: AbortSignal | undefined } = {},
): Promise<RunningAgent> {
  await using log = await open(options.logFile, 'a', 0o600);
  const { size: logStart } = await log.stat();
  const child = spawn(
    process.execPath,
    [join(sluicePackage(), 'bin', 'sluice.js'), 'agent', '--config', options.configFile],
    {
      // In a session of its own: Ctrl-C in the terminal must not stop it before PostgreSQL.
      detached: true,
      cwd: '/',
      env: environment(),
      stdio: ['ignore', log.fd, log.fd],
    },
  );
  const agent = watch(child);
  try {
    await writeFile(options.pidFile, `${agent.pid}\n`, { mode: 0o600 });
    const socket = join(options.socketDirectory, '.s.PGSQL.5432');
    const ready = await waitUntil(async () => agent.hasEnded() || (await accepts(socket)), {
      timeoutMs: START_TIMEOUT_MS,
      everyMs: 20,
      signal,
    });
    if (ready && !agent.hasEnded()) return agent;
  } catch (error) {
    await endAgent(agent, AbortSignal.abort());
    throw error;
  }
  await endAgent(agent, AbortSignal.abort());
  throw new LocalError('agent_failed', `the agent did not start (${await agent.ended})`, {
    detail: await logTail(options.logFile, logStart),
    hint: `Its log is ${options.logFile}.`,
  });
}

/** Our environment without the AWS settings: the stack's agent must never reach a real account. */
function environment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('AWS_')));
}

function watch(child: ChildProcess): RunningAgent {
  const pid = child.pid ?? 0;
  let ended = child.pid === undefined;
  const lifeline = ended ? undefined : attachLifeline(pid, 'TERM');
  const end = new Promise<string>((resolve) => {
    const finish = (how: string) => {
      ended = true;
      lifeline?.release();
      resolve(how);
    };
    child.once('exit', (code, signal) =>
      finish(signal === null ? `exit status ${code}` : `signal ${signal}`),
    );
    child.once('error', (error) => finish(error.message));
  });
  return { pid, ended: end, hasEnded: () => ended };
}

export async function endAgent(agent: RunningAgent, hurry: AbortSignal | undefined): Promise<void> {
  if (!(await endProcess(agent.pid, AGENT_ENDING, () => agent.hasEnded(), hurry))) {
    throw new LocalError('agent_failed', `the agent (process ${agent.pid}) does not stop`);
  }
}

function accepts(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
