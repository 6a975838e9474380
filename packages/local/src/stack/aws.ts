import type { AccessKeyPair } from '../aws/iam/administrator.ts';
import type { ServiceKey } from '../aws/iam/open-iam.ts';
import type { RdsAgent } from '../aws/rds/forward-to-agent.ts';
import { startAwsServer, type RunningAwsServer } from '../aws/server.ts';

export interface LocalAwsOptions {
  /** Preferred port on 127.0.0.1. Zero: any free one. */
  port: number;
  directory: string;
  region: string;
  /** The key of the account's administrator. */
  administrator: AccessKeyPair;
  /** The key with which the agent calls as the service rds.amazonaws.com. */
  rdsService: ServiceKey;
  /** The agent whose RDS API the endpoint forwards to. */
  rdsAgent: RdsAgent;
  log: (line: string) => void;
}

/** Starts the local AWS on the preferred port, or on a free one when that is taken. */
export async function startLocalAws(
  { port, administrator, rdsService, rdsAgent, directory, region, log }: LocalAwsOptions,
  { signal }: { signal?: AbortSignal | undefined },
): Promise<RunningAwsServer> {
  const server = await startAwsServer(
    {
      host: '127.0.0.1',
      port,
      onPortBusy: 'take-any',
      directory,
      region,
      administrator,
      rdsAgent,
      services: { 'rds.amazonaws.com': rdsService },
    },
    signal === undefined ? {} : { signal },
  );
  if (port !== 0 && server.port !== port) {
    log(`port ${port} is taken, so the local AWS listens on ${server.port}`);
  }
  return server;
}
