import type { Command } from 'commander';
import { importCommands, passedOn } from './optional-package.ts';

interface LocalCommands {
  localCommand: () => Command;
}

/** `sluice local`, of @sluice/local: a database host does not need it. */
export function localCommand(): Command {
  return passedOn(
    'local',
    'run a real PostgreSQL and a local AWS with the agent between them, for development and tests',
    async () => {
      const { localCommand: command } = await importCommands<LocalCommands>({
        name: '@sluice/local',
        what: 'the local stack',
      });
      return command;
    },
  );
}
