import { Command } from 'commander';
import { withConfig, type ConfigFlag } from './config-option.ts';
import { exportJson, writeJson } from './export-json.ts';
import { formatExport } from './format-export.ts';
import { unknownExport } from './unknown-export.ts';
import { withClient } from './with-client.ts';

interface Flags extends ConfigFlag {
  json?: boolean;
}

export function showCommand(): Command {
  return withConfig(new Command('show'))
    .description('show all that is known of an export: its times, tables, result, and error')
    .argument('<id>', 'as sluice fleet status shows it')
    .option('--json', 'print it as one JSON document')
    .addHelpText(
      'after',
      `
Example:
  sluice fleet show x3f9a8b7c6d5e4f3a2b1c -c fleet.toml`,
    )
    .action(async (id: string, { json = false, ...flags }: Flags) => {
      const shown = await withClient(flags, (client) => client.show(id));
      if (shown === undefined) throw unknownExport(id);
      if (json) writeJson(exportJson(shown));
      else process.stdout.write(formatExport(shown, { now: new Date() }));
    });
}
