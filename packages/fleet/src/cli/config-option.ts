import type { Command } from 'commander';

export interface ConfigFlag {
  config: string;
}

/** The same for all commands of a fleet. */
export function withConfig(command: Command): Command {
  return command.option('-c, --config <file>', "the fleet's fleet.toml", '/etc/sluice/fleet.toml');
}
