import type { Operation } from '../operation.ts';
import { addRoleToDBCluster } from './add-role-to-db-cluster.ts';
import { addRoleToDBInstance } from './add-role-to-db-instance.ts';
import { describeDBClusters } from './describe-db-clusters.ts';
import { describeDBEngineVersions } from './describe-db-engine-versions.ts';
import { describeDBInstances } from './describe-db-instances.ts';
import { removeRoleFromDBCluster } from './remove-role-from-db-cluster.ts';
import { removeRoleFromDBInstance } from './remove-role-from-db-instance.ts';

/** The operations of the role model, by the name that a request gives as Action. */
export const OPERATIONS: ReadonlyMap<string, Operation> = new Map([
  ['AddRoleToDBCluster', addRoleToDBCluster],
  ['RemoveRoleFromDBCluster', removeRoleFromDBCluster],
  ['DescribeDBClusters', describeDBClusters],
  ['AddRoleToDBInstance', addRoleToDBInstance],
  ['RemoveRoleFromDBInstance', removeRoleFromDBInstance],
  ['DescribeDBInstances', describeDBInstances],
  ['DescribeDBEngineVersions', describeDBEngineVersions],
]);
