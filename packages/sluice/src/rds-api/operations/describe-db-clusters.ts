import { CLUSTER_FILTERS, describeCluster, passes, requireCluster } from '../cluster.ts';
import type { Operation } from '../operation.ts';

/** https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DescribeDBClusters.html */
export const describeDBClusters: Operation = (parameters, { cluster, roles }) => {
  parameters.checkPaging();
  const identifier = parameters.get('DBClusterIdentifier');
  if (identifier !== undefined) requireCluster(cluster, identifier);
  const isWanted = passes(cluster, parameters.filters(CLUSTER_FILTERS));
  return [['DBClusters', isWanted ? [describeCluster(cluster, roles.list())] : []]];
};
