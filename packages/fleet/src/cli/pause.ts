import { Command } from 'commander';
import { withConfig, type ConfigFlag } from './config-option.ts';
import { withClient } from './with-client.ts';

export function pauseCommand(): Command {
  return withConfig(new Command('pause'))
    .description('begin nothing new of a source, or of all; what is under way goes on to its end')
    .argument('[source]', 'one of [sources]; all by default')
    .addHelpText('after', '\nExample:\n  sluice fleet pause sales -c fleet.toml')
    .action(async (source: string | undefined, flags: ConfigFlag) => {
      await withClient(flags, (client) => client.pause(source));
      process.stdout.write(`paused: ${source ?? 'all sources'}\n`);
    });
}

export function resumeCommand(): Command {
  return withConfig(new Command('resume'))
    .description('end the pause of a source, or of all')
    .argument('[source]', 'one of [sources]; all by default')
    .addHelpText('after', '\nExample:\n  sluice fleet resume sales -c fleet.toml')
    .action(async (source: string | undefined, flags: ConfigFlag) => {
      await withClient(flags, (client) => client.resume(source));
      process.stdout.write(`resumed: ${source ?? 'all sources'}\n`);
    });
}
