import { isSluiceError, type SluiceErrorCode } from '../errors.ts';
import type { Parameters } from './parameters.ts';
import { RdsError, type RdsErrorCode } from './rds-error.ts';

/** Why a change of the associations is refused: the error codes for clusters and for instances. */
const CODES: Readonly<
  Record<'cluster' | 'instance', Readonly<Partial<Record<SluiceErrorCode, RdsErrorCode>>>>
> = {
  cluster: {
    invalid_argument: 'InvalidParameterValue',
    role_already_associated: 'DBClusterRoleAlreadyExists',
    role_not_associated: 'DBClusterRoleNotFound',
    role_quota_exceeded: 'DBClusterRoleQuotaExceeded',
    agent_unavailable: 'InvalidDBClusterStateFault',
  },
  instance: {
    invalid_argument: 'InvalidParameterValue',
    role_already_associated: 'DBInstanceRoleAlreadyExists',
    role_not_associated: 'DBInstanceRoleNotFound',
    role_quota_exceeded: 'DBInstanceRoleQuotaExceeded',
    agent_unavailable: 'InvalidDBInstanceState',
  },
};

/**
 * Reads which association is meant, and adds or removes it. The cluster has one instance here, so both have the same
 * roles.
 *
 * @throws RdsError
 */
export async function changeRole(
  resource: 'cluster' | 'instance',
  parameters: Parameters,
  change: (roleArn: string, featureName: string) => Promise<unknown>,
): Promise<undefined> {
  const roleArn = parameters.required('RoleArn');
  const featureName = parameters.get('FeatureName');
  if (featureName === undefined) {
    // The message of Amazon RDS, because users search for it.
    throw new RdsError(
      'InvalidParameterValue',
      'The feature-name parameter must be provided with the current operation for the Aurora (PostgreSQL) engine.',
    );
  }
  try {
    await change(roleArn, featureName);
  } catch (error) {
    const code = isSluiceError(error) ? CODES[resource][error.code] : undefined;
    if (!isSluiceError(error) || code === undefined) throw error;
    throw new RdsError(code, sentences(error.message, error.hint), { cause: error });
  }
}

function sentences(message: string, hint: string | undefined): string {
  const first = `${message.charAt(0).toUpperCase()}${message.slice(1)}.`;
  return hint === undefined ? first : `${first} ${hint}`;
}
