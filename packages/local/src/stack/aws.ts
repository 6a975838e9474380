import { startAwsServer, type RunningAwsServer } from '../aws/server.ts';

export interface LocalAwsOptions {
  /** Preferred port on 127.0.0.1. Zero: any free one. */
  port: number;
  directory: string;
  region: string;
  /** The one access key that is known. */
  credentials: { accessKeyId: string; secretAccessKey: string };
  log: (line: string) => void;
}

/** Starts the local AWS on the preferred port, or on a free one when that is taken. */
export async function startLocalAws(
  { port, credentials, directory, region, log }: LocalAwsOptions,
  { signal }: { signal?: AbortSignal | undefined },
): Promise<RunningAwsServer> {
  const { accessKeyId, secretAccessKey } = credentials;
  const server = await startAwsServer(
    {
      host: '127.0.0.1',
      port,
      onPortBusy: 'take-any',
      directory,
      region,
      credentials: (id) => (id === accessKeyId ? { secretAccessKey } : undefined),
    },
    signal === undefined ? {} : { signal },
  );
  if (port !== 0 && server.port !== port) {
    log(`port ${port} is taken, so the local AWS listens on ${server.port}`);
  }
  return server;
}
