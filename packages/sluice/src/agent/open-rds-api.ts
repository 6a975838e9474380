import type { Logger } from 'pino';
import type { Config } from '../config/schema.ts';
import type { ClusterRoles } from '../identity/cluster-roles.ts';
import { RdsApi } from '../rds-api/rds-api.ts';

/**
 * The RDS API, if sluice.toml has a section for it.
 *
 * @throws SluiceError `config_invalid`
 */
export async function openRdsApi(
  config: Config,
  roles: ClusterRoles,
  log: Logger,
): Promise<RdsApi | undefined> {
  const { rds_api: api, cluster } = config;
  if (api === undefined) return undefined;
  return RdsApi.open({
    listen: api.listen,
    accessKeys: api.access_keys,
    cluster: {
      identifier: cluster.identifier,
      instanceIdentifier: cluster.instance_identifier ?? `${cluster.identifier}-instance-1`,
      region: cluster.region,
      accountId: cluster.account_id,
      endpoint: cluster.endpoint,
      port: cluster.port,
      engineVersion: cluster.engine_version,
    },
    roles,
    log,
  });
}
