import { Command } from 'commander';
import { applyCommand, schedulesCommand } from './schedules.ts';
import { cancelCommand } from './cancel.ts';
import { dashboardCommand } from './dashboard.ts';
import { pauseCommand, resumeCommand } from './pause.ts';
import { showCommand } from './show.ts';
import { statusCommand } from './status.ts';

const HELP = '(sluice fleet --help shows the commands)';

/** `sluice fleet`. */
export function fleetCommand(): Command {
  const command = new Command('sluice fleet').description("a fleet's exports, workers and schedules");
  const subcommands = [
    statusCommand(),
    showCommand(),
    cancelCommand(),
    pauseCommand(),
    resumeCommand(),
    applyCommand(),
    schedulesCommand(),
    dashboardCommand(),
  ];
  // A wrong command line has a status of its own: 2, as everywhere.
  for (const each of [command, ...subcommands]) {
    each.showHelpAfterError(HELP).exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));
  }
  for (const each of subcommands) command.addCommand(each);
  return command.addHelpText(
    'after',
    `
A fleet exports by several machines: each runs sluice worker, and all meet at a
Redis or Valkey. sluice export --fleet has it export something; schedules do so
again and again.

Exit status: 0 done, 1 failed, 2 wrong command line.

Examples:
  sluice fleet status -c fleet.toml
  sluice fleet show x3f9a8b7c6d5e4f3a2b1c --json
  sluice fleet apply fleet.toml
  sluice fleet pause sales`,
  );
}
