import { changeRole } from '../change-role.ts';
import { requireInstance } from '../cluster.ts';
import type { Operation } from '../operation.ts';

/** https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_RemoveRoleFromDBInstance.html */
export const removeRoleFromDBInstance: Operation = (parameters, { cluster, roles }) => {
  requireInstance(cluster, parameters.required('DBInstanceIdentifier'));
  return changeRole('instance', parameters, (roleArn, featureName) => roles.remove(roleArn, featureName));
};
