import { changeRole } from '../change-role.ts';
import { requireInstance } from '../cluster.ts';
import type { Operation } from '../operation.ts';

/** https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_AddRoleToDBInstance.html */
export const addRoleToDBInstance: Operation = (parameters, { cluster, roles }) => {
  requireInstance(cluster, parameters.required('DBInstanceIdentifier'));
  return changeRole('instance', parameters, (roleArn, featureName) => roles.add(roleArn, featureName));
};
