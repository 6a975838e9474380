import { changeRole } from '../change-role.ts';
import { requireCluster } from '../cluster.ts';
import type { Operation } from '../operation.ts';

/** https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_RemoveRoleFromDBCluster.html */
export const removeRoleFromDBCluster: Operation = (parameters, { cluster, roles }) => {
  requireCluster(cluster, parameters.required('DBClusterIdentifier'));
  return changeRole('cluster', parameters, (roleArn, featureName) => roles.remove(roleArn, featureName));
};
