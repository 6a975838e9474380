import { join } from 'node:path';
import { SOCKET_NAME } from '../../agent/rpc-server.ts';
import type { Config } from '../../config/schema.ts';
import { VERSION } from '../../version.ts';
import { pingAgent, type AgentStatus } from '../ping-agent.ts';
import { messageOf, type Finding } from '../walk.ts';
import { errnoOf } from '../../errors.ts';

/** Checks that the agent of this configuration runs, and answers at its socket. */
export async function checkAgent(
  { agent: { socket_directory: directory }, cluster }: Config,
  configFile: string,
  { signal }: { signal: AbortSignal },
): Promise<Finding<AgentStatus>> {
  const path = join(directory, SOCKET_NAME);
  let status: AgentStatus;
  try {
    status = await pingAgent(directory, { signal });
  } catch (error) {
    signal.throwIfAborted();
    return notReached(error, path, configFile);
  }
  if (status.cluster !== cluster.identifier) {
    return {
      status: 'failed',
      found: `the agent at ${path} serves the cluster "${status.cluster}", not "${cluster.identifier}"`,
      mend: `Name the configuration file of that agent with --config, or give each agent a socket_directory of its own.`,
    };
  }
  const found = `version ${status.version} answers at ${path}, exports under way: ${status.exports}`;
  if (status.version !== VERSION || status.region !== cluster.region) {
    return {
      status: 'warning',
      found: `${found}; but it was started as version ${status.version} in ${status.region}, and now it would be ${VERSION} in ${cluster.region}`,
      mend: 'Start the agent anew (systemctl restart sluice).',
      value: status,
    };
  }
  return { status: 'ok', found, value: status };
}

function notReached(error: unknown, path: string, configFile: string): Finding<never> {
  const start = `Start the agent: systemctl start sluice, or sluice agent --config ${configFile}. If it runs with another configuration file, name that one with --config.`;
  switch (errnoOf(error)) {
    case 'ENOENT':
      return { status: 'failed', found: `the agent is not running: there is no socket ${path}`, mend: start };
    case 'ECONNREFUSED':
      return { status: 'failed', found: `the agent is not running: nobody listens at ${path}`, mend: start };
    case 'EACCES':
    case 'EPERM':
      return {
        status: 'failed',
        found: `user ${process.getuid?.()} may not open the agent's socket ${path}`,
        mend: 'Run sluice doctor as the operating system user of the agent, or as root.',
      };
    default:
      return {
        status: 'failed',
        found: `what listens at ${path} does not answer as an agent does (${messageOf(error)})`,
        mend: "Look at the agent's log, and start it anew (systemctl restart sluice).",
      };
  }
}
