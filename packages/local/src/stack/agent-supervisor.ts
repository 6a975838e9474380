import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { endAgent, startAgent, type AgentOptions, type RunningAgent } from './agent-process.ts';

const FIRST_RESTART_DELAY_MS = 200;
const MAX_RESTART_DELAY_MS = 10_000;
/** After an agent has run for this long, the delay before a restart is short again. */
const STEADY_MS = 30_000;

/** The agent as a child process that is restarted when it dies. */
export interface SupervisedAgent {
  /** The process id of the current agent, or of the last one. */
  readonly pid: number;
  stop(options?: { hurry?: AbortSignal }): Promise<void>;
}

/** @throws LocalError when the first start fails; later failures are logged with `options.log` and tried again */
export async function superviseAgent(
  options: AgentOptions,
  { signal }: { signal?: AbortSignal | undefined } = {},
): Promise<SupervisedAgent> {
  let current = await startAgent(options, { signal });
  const stopping = new AbortController();
  const watching = keepRunning(options, current, stopping.signal, (agent) => (current = agent));
  return {
    get pid() {
      return current.pid;
    },
    async stop({ hurry } = {}) {
      stopping.abort();
      await watching;
      await endAgent(current, hurry);
      await rm(options.pidFile, { force: true });
    },
  };
}

/** Starts the agent again whenever it ends, at growing intervals, until `stopping` is aborted. */
async function keepRunning(
  options: AgentOptions,
  first: RunningAgent,
  stopping: AbortSignal,
  onStart: (agent: RunningAgent) => void,
): Promise<void> {
  const stop = new Promise<undefined>((resolve) => {
    stopping.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  let agent = first;
  let delayMs = FIRST_RESTART_DELAY_MS;
  for (;;) {
    const startedAt = performance.now();
    const how = await Promise.race([agent.ended, stop]);
    if (how === undefined) return;
    if (performance.now() - startedAt > STEADY_MS) delayMs = FIRST_RESTART_DELAY_MS;
    let why = `the agent ended unexpectedly (${how})`;
    for (let isRunning = false; !isRunning; delayMs = Math.min(delayMs * 2, MAX_RESTART_DELAY_MS)) {
      options.log(`${why}; starting it again in ${delayMs / 1000} s (its log is ${options.logFile})`);
      try {
        await sleep(delayMs, undefined, { signal: stopping });
        agent = await startAgent(options, { signal: stopping });
        isRunning = true;
      } catch (error) {
        if (stopping.aborted) return;
        why = error instanceof Error ? error.message : String(error);
      }
    }
    onStart(agent);
    options.log(`the agent runs again (process ${agent.pid})`);
  }
}
