import { Command } from 'commander';
import { pino } from 'pino';
import { loadConfig } from '../config/load-config.ts';
import { Agent } from '../agent/agent.ts';
import { printable } from '../printable.ts';
import { nodeNotice } from './node-notice.ts';

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
  const log = pino({
    level: config.agent.log_level,
    base: { pid: process.pid },
    // Names come from whoever may export, and a log is read in terminals.
    hooks: { streamWrite: printable },
  });
  const notice = nodeNotice(process.version);
  if (notice !== undefined) log.warn({ node: process.version }, notice);
  const agent = await Agent.start({ config, log });
  const hurry = new AbortController();
  const stop = (signal: NodeJS.Signals): void => {
    if (stopping !== undefined) return hurry.abort();
    log.info({ signal }, 'stopping');
    stopping = agent.stop({ signal: hurry.signal }).catch((error: unknown) => {
      log.fatal({ err: error }, 'could not stop cleanly');
      process.exitCode = 1;
    });
  };
  let stopping: Promise<void> | undefined;
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}
