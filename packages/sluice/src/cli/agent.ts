import { Command } from 'commander';
import { loadConfig } from '../config/load-config.ts';
import { Agent } from '../agent/agent.ts';
import { nodeNotice } from './node-notice.ts';
import { openLog } from './open-log.ts';

/** How long the agent may take to stop after an uncaught error. Uploads that are still open then are in the journal. */
const FAULT_STOP_MS = 15_000;

export function agentCommand(): Command {
  return new Command('agent')
    .description('run the agent that carries the rows of exports from PostgreSQL to Amazon S3')
    .option('-c, --config <file>', 'configuration file', '/etc/sluice/sluice.toml')
    .addHelpText(
      'after',
      `
The agent runs on the database host, as the operating system user that PostgreSQL runs as. It logs JSON lines to
standard output. SIGTERM and Ctrl-C let the running exports end (agent.shutdown_timeout); a second one aborts them.`,
    )
    .action(async (options: { config: string }) => runAgent(options.config));
}

async function runAgent(configFile: string): Promise<void> {
  const config = await loadConfig(configFile);
  const log = openLog(config.agent.log_level);
  const notice = nodeNotice(process.version);
  if (notice !== undefined) log.warn({ node: process.version }, notice);
  const hurry = new AbortController();
  let stopping: Promise<void> | undefined;
  let isFaulty = false;

  const starting = Agent.start({ config, log });
  const stop = (): Promise<void> =>
    (stopping ??= starting
      .then((agent) => agent.stop({ signal: hurry.signal }))
      .catch((error: unknown) => {
        log.fatal({ err: error }, 'could not stop cleanly');
        process.exitCode = 1;
      }));
  // This includes unhandled rejections. After such an error the state of the process is unknown, so it ends, but first
  // aborts its exports, at S3 and for their callers.
  process.on('uncaughtException', (error, origin) => {
    log.fatal({ err: error, origin }, 'an error that nobody handled: the agent aborts its exports and ends');
    if (isFaulty) return;
    isFaulty = true;
    setTimeout(() => process.exit(1), FAULT_STOP_MS).unref();
    hurry.abort();
    void stop().finally(() => process.exit(1));
  });

  await starting;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (stopping !== undefined) return hurry.abort();
    log.info({ signal }, 'stopping');
    void stop();
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
}
