import { staticCredentials } from '../../agent/s3-connections.ts';
import type { Config } from '../../config/schema.ts';
import { noRoleError } from '../../identity/assume-role-error.ts';
import { readAssociations } from '../../identity/association-store.ts';
import { failedWith, type Finding } from '../walk.ts';
import { errnoOf } from '../../errors.ts';

/** The role with which exports upload; undefined when [s3] has a key, and no role is needed. */
export interface ExportRole {
  roleArn: string | undefined;
}

/** Checks that a role is associated with the cluster for the feature s3Export. */
export async function checkRole(
  config: Config,
  configFile: string,
  { signal }: { signal: AbortSignal },
): Promise<Finding<ExportRole>> {
  if (staticCredentials(config) !== undefined) {
    return { status: 'skipped', found: 'not needed: [s3] has a key', value: { roleArn: undefined } };
  }
  const { state_directory: stateDirectory } = config.agent;
  let roles: Awaited<ReturnType<typeof readAssociations>>;
  try {
    roles = await readAssociations(stateDirectory, { signal });
  } catch (error) {
    signal.throwIfAborted();
    const mend = isPermissionDenied(error)
      ? { mend: 'Run sluice doctor as the operating system user of the agent, or as root.' }
      : {};
    return { ...failedWith(error), ...mend };
  }
  const role = roles.find(({ featureName }) => featureName === 's3Export');
  if (role === undefined) {
    const { identifier } = config.cluster;
    return {
      status: 'failed',
      found: `no role is associated with the cluster "${identifier}" for s3Export (in ${stateDirectory})`,
      mend: `${noRoleError().hint} If not: sluice role add ROLE_ARN --config ${configFile}, or aws rds add-role-to-db-cluster --db-cluster-identifier ${identifier} --feature-name s3Export --role-arn ROLE_ARN.`,
    };
  }
  const { roleArn, status } = role;
  return { status: 'ok', found: `${roleArn} for s3Export, last found ${status}`, value: { roleArn } };
}

function isPermissionDenied(error: unknown): boolean {
  return error instanceof Error && errnoOf(error.cause) === 'EACCES';
}
