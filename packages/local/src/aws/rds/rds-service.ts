import type { AwsService } from '../aws-service.ts';
import type { Identity } from '../identity.ts';
import type { QueryCall, QueryOperation } from '../query/query-operation.ts';
import { QueryError } from '../query/query-error.ts';
import { QueryService } from '../query/query-service.ts';
import { accessDeniedMessage } from '../iam/policy/access-denied.ts';
import { forwardToAgent, type RdsAgent } from './forward-to-agent.ts';

interface RdsContext {
  readonly agent: RdsAgent;
}

/**
 * The operations of the RDS API that manage the roles of a cluster. They are answered by the agent's own RDS API,
 * because the cluster is the agent's; here IAM only decides who may call them.
 * https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/
 */
export function rdsService(agent: RdsAgent, identity: Identity): AwsService {
  return new QueryService<RdsContext>({
    name: 'rds',
    version: '2014-10-31',
    namespace: 'http://rds.amazonaws.com/doc/2014-10-31/',
    operations: [
      operation('AddRoleToDBCluster', 'cluster', 'DBClusterIdentifier'),
      operation('RemoveRoleFromDBCluster', 'cluster', 'DBClusterIdentifier'),
      operation('DescribeDBClusters', 'cluster', 'DBClusterIdentifier'),
      operation('AddRoleToDBInstance', 'db', 'DBInstanceIdentifier'),
      operation('RemoveRoleFromDBInstance', 'db', 'DBInstanceIdentifier'),
      operation('DescribeDBInstances', 'db', 'DBInstanceIdentifier'),
      operation('DescribeDBEngineVersions', undefined, undefined),
    ],
    context: { agent },
    identity,
  });
}

/** https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonrds.html */
function operation(
  name: string,
  resourceType: 'cluster' | 'db' | undefined,
  identifier: string | undefined,
): QueryOperation<RdsContext> {
  return {
    name,
    resource: ({ form, accountId, agent }) => {
      if (resourceType === undefined || identifier === undefined) return '*';
      return `arn:aws:rds:${agent.region}:${accountId}:${resourceType}:${form.optional(identifier) ?? '*'}`;
    },
    run: async (call) => {
      if (name.startsWith('AddRole')) await mayPassRole(call);
      return forwardToAgent(call.agent, call.form.entries);
    },
  };
}

/** Giving a role to a service needs iam:PassRole. */
async function mayPassRole({ form, principal, conditions, authorize }: QueryCall): Promise<void> {
  const resource = form.optional('RoleArn');
  if (resource === undefined) return;
  const question = {
    action: 'iam:PassRole',
    resource,
    conditions: new Map([...conditions, ['iam:PassedToService', 'rds.amazonaws.com'] as const]),
  };
  const { allowed, because } = await authorize(question);
  if (!allowed) {
    throw new QueryError('AccessDenied', 403, accessDeniedMessage({ principal, ...question }, because));
  }
}
