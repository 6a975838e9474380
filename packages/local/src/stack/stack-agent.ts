import { join } from 'node:path';
import { postgresOsUser } from '../process/os-user.ts';
import { writeAgentConfig } from './agent-config.ts';
import { superviseAgent, type SupervisedAgent } from './agent-supervisor.ts';
import { agentFiles, logFile, rdsSocket, type Home } from './home.ts';
import type { AgentConfig, CheckedOptions } from './options.ts';

/** Starts the agent of a stack with a configuration written for it. `pgPort` is PostgreSQL's port. */
export async function startStackAgent(
  options: CheckedOptions,
  home: Home,
  endpoint: string,
  { signal }: { signal?: AbortSignal | undefined },
): Promise<SupervisedAgent> {
  const { directory, run } = home;
  await writeStackConfig(options, home, endpoint);
  return superviseAgent(
    {
      ...agentFiles(directory),
      socketDirectory: run.agent,
      logFile: logFile(directory, 'agent'),
      log: options.log,
    },
    { signal },
  );
}

/** Writes the agent's sluice.toml. */
async function writeStackConfig(
  options: CheckedOptions,
  { directory, state, run }: Home,
  endpoint: string,
): Promise<void> {
  const osUser = postgresOsUser();
  const config: AgentConfig = {
    agent: {
      socket_directory: run.agent,
      state_directory: join(directory, 'agent'),
      shutdown_timeout: '5s',
      ...(osUser !== undefined && { postgres_os_user: String(osUser.uid) }),
    },
    cluster: {
      identifier: options.cluster,
      region: options.region,
      endpoint: '127.0.0.1',
      port: options.pgPort,
      engine_version: String(options.pgVersion),
    },
    // The agent assumes roles as the service that the guide's roles trust. IAM decides who may change the associations.
    aws: {
      sts_endpoint: endpoint,
      access_key_id: state.rdsService.accessKeyId,
      secret_access_key: state.rdsService.secretAccessKey,
    },
    s3: { endpoint, force_path_style: true },
    rds_api: {
      listen: rdsSocket(run),
      access_keys: [{ id: state.rdsService.accessKeyId, secret: state.rdsService.secretAccessKey }],
    },
  };
  await writeAgentConfig(agentFiles(directory).configFile, config, options.agentConfig);
}
