import { Command } from 'commander';
import { SluiceError } from 'sluice';
import { withConfig, type ConfigFlag } from './config-option.ts';
import { unknownExport } from './unknown-export.ts';
import { withClient } from './with-client.ts';

export function cancelCommand(): Command {
  return withConfig(new Command('cancel'))
    .description('end an export: nothing of it is published, and its uploads are aborted')
    .argument('<id>', 'as sluice fleet status shows it')
    .addHelpText(
      'after',
      `
It returns at once; sluice fleet show tells when the export has ended.

Example:
  sluice fleet cancel x3f9a8b7c6d5e4f3a2b1c -c fleet.toml`,
    )
    .action(async (id: string, flags: ConfigFlag) => {
      await withClient(flags, async (client) => {
        if (await client.cancel(id)) return;
        const shown = await client.show(id);
        if (shown === undefined) throw unknownExport(id);
        throw new SluiceError('invalid_argument', `the export ${id} has ended already: ${shown.state}`);
      });
      process.stdout.write(`cancelled: ${id}\n`);
    });
}
