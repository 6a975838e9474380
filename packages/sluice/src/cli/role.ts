import { Command } from 'commander';
import { askAgent } from '../agent/admin/ask-agent.ts';
import type { AdminRequest } from '../agent/admin/admin-request.ts';
import { loadConfig } from '../config/load-config.ts';
import type { RoleReport } from '../identity/cluster-roles.ts';

interface Flags {
  config: string;
  json?: boolean;
  featureName?: string;
}

const DEFAULT_FEATURE = 's3Export';

export function roleCommand(): Command {
  return new Command('role')
    .description("show and change the IAM roles that are associated with the agent's cluster")
    .addCommand(
      subcommand('list', 'show the roles, and whether the agent can assume them').action(
        async (flags: Flags) => print(await ask(flags, { op: 'role-list' }), flags),
      ),
    )
    .addCommand(
      withFeature(
        subcommand('add', 'associate a role with the cluster').argument('<role-arn>', 'the ARN of the role'),
      ).action(async (roleArn: string, flags: Flags) => {
        const featureName = flags.featureName ?? DEFAULT_FEATURE;
        print(await ask(flags, { op: 'role-add', roleArn, featureName }), flags);
      }),
    )
    .addCommand(
      withFeature(
        subcommand('remove', "end a role's association with the cluster").argument(
          '<role-arn>',
          'the ARN of the role',
        ),
      ).action(async (roleArn: string, flags: Flags) => {
        const featureName = flags.featureName ?? DEFAULT_FEATURE;
        print(await ask(flags, { op: 'role-remove', roleArn, featureName }), flags);
      }),
    )
    .addHelpText(
      'after',
      `
A role is ACTIVE when the agent can assume it, INVALID when it can't, and PENDING until that is known. The agent must be
running; the command must run as the agent's operating system user, or as root.

Examples:
  sluice role add arn:aws:iam::123456789012:role/rds-s3-export-role
  sluice role list --json`,
    );
}

function subcommand(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .option('-c, --config <file>', "the agent's configuration file", '/etc/sluice/sluice.toml')
    .option('--json', 'print the roles as JSON, as "aws rds describe-db-clusters" shows them');
}

function withFeature(command: Command): Command {
  return command.option('--feature-name <name>', 'what the cluster uses the role for', DEFAULT_FEATURE);
}

async function ask({ config }: Flags, request: AdminRequest): Promise<readonly RoleReport[]> {
  const { agent } = await loadConfig(config);
  return askAgent(agent.state_directory, request);
}

/** Prints the associated roles. */
function print(roles: readonly RoleReport[], { json = false }: Flags): void {
  process.stdout.write(json ? `${JSON.stringify(roles.map(asAwsShowsIt), undefined, 2)}\n` : table(roles));
}

function asAwsShowsIt({ roleArn, featureName, status, reason }: RoleReport): object {
  return {
    RoleArn: roleArn,
    FeatureName: featureName,
    Status: status,
    ...(reason === undefined ? {} : { StatusReason: reason }),
  };
}

function table(roles: readonly RoleReport[]): string {
  if (roles.length === 0) return 'No role is associated with the cluster.\n';
  const featureWidth = Math.max(...roles.map(({ featureName }) => featureName.length));
  return roles
    .map(({ roleArn, featureName, status, reason }) => {
      const line = `${featureName.padEnd(featureWidth)}  ${status.padEnd('PENDING'.length)}  ${roleArn}\n`;
      return reason === undefined ? line : `${line}  ${reason}\n`;
    })
    .join('');
}
