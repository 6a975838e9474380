import { Command } from 'commander';
import { nodeNotice, openLog } from 'sluice/cli';
import { loadFleetConfig } from '../fleet-config.ts';
import { FleetWorker } from '../fleet-worker.ts';
import { withConfig, type ConfigFlag } from './config-option.ts';

/** How long the worker may take to stop after an uncaught error. What it leaves then, other workers clean up. */
const FAULT_STOP_MS = 15_000;

export function workerCommand(): Command {
  return withConfig(new Command('sluice worker'))
    .description('take exports of a fleet, and pieces of them, until it is stopped')
    .addHelpText(
      'after',
      `
It logs JSON lines to standard output. SIGTERM and Ctrl-C stop it: it takes
nothing new, what it reads may end within [worker] shutdown_timeout, and the
rest is handed back, for other workers to do. A second signal is not needed.

Exit status: 0 stopped, 1 could not start, or an error that nobody handled, 2
wrong command line.

Example:
  sluice worker --config /etc/sluice/fleet.toml`,
    )
    .showHelpAfterError('(sluice worker --help shows the options)')
    .exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2))
    .action(async ({ config }: ConfigFlag) => runWorker(config));
}

async function runWorker(configFile: string): Promise<void> {
  const config = await loadFleetConfig(configFile);
  const log = openLog(config.worker.logLevel);
  const notice = nodeNotice(process.version);
  if (notice !== undefined) log.warn({ node: process.version }, notice);
  for (const warning of config.warnings) log.warn(warning);
  let stopping: Promise<void> | undefined;
  let isFaulty = false;

  const starting = FleetWorker.start({ config, log });
  const stop = (gracePeriodMs: number): Promise<void> =>
    (stopping ??= starting
      .then((worker) => worker.stop({ gracePeriodMs }))
      .catch((error: unknown) => {
        log.fatal({ err: error }, 'could not stop cleanly');
        process.exitCode = 1;
      }));
  // This includes unhandled rejections. After such an error the state of the process is unknown, so it ends; what it
  // was doing is handed back.
  process.on('uncaughtException', (error, origin) => {
    log.fatal({ err: error, origin }, 'an error that nobody handled: the worker ends');
    if (isFaulty) return;
    isFaulty = true;
    setTimeout(() => process.exit(1), FAULT_STOP_MS).unref();
    void stop(0).finally(() => process.exit(1));
  });
  const onSignal = (signal: NodeJS.Signals): void => {
    if (stopping !== undefined) return;
    log.info({ signal }, 'stopping');
    void stop(config.worker.shutdownTimeoutMs);
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  await starting;
}
