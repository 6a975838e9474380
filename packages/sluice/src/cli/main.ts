import './quiet-sdk.ts';
import { Command } from 'commander';
import { VERSION } from '../version.ts';
import { agentCommand } from './agent.ts';
import { doctorCommand } from './doctor.ts';
import { exportCommand } from './export.ts';
import { fleetCommand, workerCommand } from './fleet.ts';
import { installCommand } from './install.ts';
import { localCommand } from './local.ts';
import { reportError } from './report-error.ts';
import { roleCommand } from './role.ts';

const program = new Command('sluice')
  .description("Amazon Aurora's aws_s3.query_export_to_s3 for every PostgreSQL")
  .version(VERSION)
  .addCommand(installCommand())
  .addCommand(agentCommand())
  .addCommand(doctorCommand())
  .addCommand(exportCommand())
  .addCommand(workerCommand())
  .addCommand(fleetCommand())
  .addCommand(roleCommand())
  .addCommand(localCommand())
  .showHelpAfterError('(sluice --help shows the commands)');

try {
  await program.parseAsync();
} catch (error) {
  reportError(error);
  process.exitCode = 1;
}
