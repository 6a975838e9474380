import { describeInstance, INSTANCE_FILTERS, passes, requireInstance } from '../cluster.ts';
import type { Operation } from '../operation.ts';

/** https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DescribeDBInstances.html */
export const describeDBInstances: Operation = (parameters, { cluster, roles }) => {
  parameters.checkPaging();
  const identifier = parameters.get('DBInstanceIdentifier');
  if (identifier !== undefined) requireInstance(cluster, identifier);
  const isWanted = passes(cluster, parameters.filters(INSTANCE_FILTERS));
  return [['DBInstances', isWanted ? [describeInstance(cluster, roles.list())] : []]];
};
