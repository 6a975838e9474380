import { Command } from 'commander';
import { findShareDirectory } from '../install/share-directory.ts';
import { installExtension, type InstalledExtension } from '../install/install-extension.ts';
import { systemdUnit } from '../install/systemd-unit.ts';

interface Flags {
  pgConfig: string;
  dryRun?: boolean;
  printUnit?: boolean;
}

export function installCommand(): Command {
  return new Command('install')
    .description("copy the extensions aws_commons and aws_s3 to a PostgreSQL server's extension folder")
    .option('--pg-config <path>', "the server's pg_config", 'pg_config')
    .option('--dry-run', 'only say what would be copied')
    .option('--print-unit', 'print a systemd unit for the agent, and copy nothing')
    .addHelpText(
      'after',
      `
Examples:
  sudo sluice install --pg-config /usr/lib/postgresql/18/bin/pg_config
  sluice install --print-unit | sudo tee /etc/systemd/system/sluice.service`,
    )
    .action(async ({ pgConfig, dryRun = false, printUnit = false }: Flags) => {
      if (printUnit) {
        process.stdout.write(systemdUnit({ configFile: '/etc/sluice/sluice.toml', osUser: 'postgres' }));
        return;
      }
      const shareDirectory = await findShareDirectory(pgConfig);
      const installed = await installExtension({ shareDirectory, dryRun });
      process.stdout.write(report(installed, dryRun));
    });
}

function report({ directory, files, hasDblink }: InstalledExtension, dryRun: boolean): string {
  const lines = [
    `${dryRun ? 'Would copy' : 'Copied'} to ${directory}:`,
    ...files.map((file) => `  ${file}`),
    '',
  ];
  if (!hasDblink) {
    lines.push(
      'Missing there: dblink, which aws_s3 needs. Install PostgreSQL\'s "contrib" package first',
      '(postgresql-contrib on most systems).',
      '',
    );
  }
  lines.push(
    'Next:',
    '  1. Write /etc/sluice/sluice.toml, and run the agent on this host:',
    '       sluice agent --config /etc/sluice/sluice.toml',
    '     (sluice install --print-unit prints a systemd unit for it)',
    '  2. In psql, as a superuser, in each database that exports:',
    '       CREATE EXTENSION IF NOT EXISTS aws_s3 CASCADE;',
    '',
  );
  return lines.join('\n');
}
