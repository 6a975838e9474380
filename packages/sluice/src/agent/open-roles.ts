import type { Logger } from 'pino';
import type { Config } from '../config/schema.ts';
import { baseCredentials } from '../identity/base-credentials.ts';
import { ClusterRoles } from '../identity/cluster-roles.ts';
import { Sts } from '../identity/sts.ts';
import { readCertificates } from './s3-connections.ts';

/**
 * The roles of the cluster, with the settings of sluice.toml by which they are assumed.
 *
 * @throws SluiceError `config_invalid`
 */
export async function openRoles(config: Config, log: Logger): Promise<ClusterRoles> {
  const { agent, aws, cluster } = config;
  return ClusterRoles.open({
    cluster: cluster.identifier,
    stateDirectory: agent.state_directory,
    sts: await openSts(config),
    log,
    sessionDurationMs: aws.role_session_duration,
    externalId: aws.external_id,
    checkIntervalMs: aws.role_check_interval,
  });
}

/**
 * A client of STS that uses the agent's own credentials.
 *
 * @throws SluiceError `config_invalid`
 */
export async function openSts({ aws, cluster }: Config): Promise<Sts> {
  const { access_key_id: accessKeyId, secret_access_key: secretAccessKey, session_token: sessionToken } = aws;
  const keys =
    accessKeyId === undefined || secretAccessKey === undefined
      ? undefined
      : { accessKeyId, secretAccessKey, sessionToken };
  return new Sts({
    region: cluster.region,
    credentials: baseCredentials({ region: cluster.region, keys, profile: aws.profile }),
    endpoint: aws.sts_endpoint,
    ca: await readCertificates('aws.ca_file', aws.ca_file),
  });
}
