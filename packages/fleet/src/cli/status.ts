import { Command } from 'commander';
import { withConfig, type ConfigFlag } from './config-option.ts';
import { exportJson, writeJson } from './export-json.ts';
import { formatStatus } from './format-status.ts';
import { pausedSources } from './paused-sources.ts';
import { withClient } from './with-client.ts';

interface Flags extends ConfigFlag {
  all?: boolean;
  json?: boolean;
}

export function statusCommand(): Command {
  return withConfig(new Command('status'))
    .description('show the exports that wait, run and have ended of late, the workers, and what is paused')
    .option('--all', 'show every export that the fleet still knows (7 days, 1,000 of a source)')
    .option('--json', 'print one JSON document: {exports, workers, paused}')
    .addHelpText(
      'after',
      `
Examples:
  sluice fleet status -c fleet.toml
  sluice fleet status --json | jq '.exports[] | select(.state == "failed").id'`,
    )
    .action(async ({ all, json = false, ...flags }: Flags) => {
      const status = await withClient(flags, async (client) => {
        const [exports, workers, paused] = await Promise.all([
          client.list(),
          client.workers(),
          pausedSources(client),
        ]);
        return { exports, workers, paused };
      });
      if (json) {
        writeJson({
          exports: status.exports.map(exportJson),
          workers: status.workers.map(({ name, source, jobs, address, ageSeconds }) => ({
            name,
            source,
            takes: jobs,
            address,
            age_seconds: ageSeconds,
          })),
          paused: status.paused,
        });
        return;
      }
      const { isTTY, columns } = process.stdout;
      process.stdout.write(
        formatStatus(status, { now: new Date(), width: isTTY ? columns : undefined, all }),
      );
    });
}
