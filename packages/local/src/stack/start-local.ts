import { join } from 'node:path';
import { defaultCacheDirectory } from '../cache-directory.ts';
import { LocalError } from '../errors.ts';
import { choosePort } from '../ports.ts';
import { startPostgres, type RunningPostgres } from '../postgres/server.ts';
import type { SupervisedAgent } from './agent-supervisor.ts';
import { allowExports } from './allow-exports.ts';
import { startLocalAws } from './aws.ts';
import { CleanUp } from './clean-up.ts';
import { joinExtension } from './extension.ts';
import { logFile, openHome, rdsSocket, type Home } from './home.ts';
import { checkOptions, type CheckedOptions, type LocalOptions } from './options.ts';
import { sluicePackage } from './sluice-package.ts';
import { startStackAgent } from './stack-agent.ts';

/** A running PostgreSQL with aws_s3, a local AWS, and the agent between them. */
export interface LocalStack extends AsyncDisposable {
  /** The cluster's identifier. */
  readonly cluster: string;
  readonly postgres: {
    readonly host: string;
    readonly port: number;
    /** The superuser. */
    readonly user: string;
    readonly password: string;
    readonly database: string;
    /** A URL with all of the above, for drivers and psql. */
    readonly url: string;
  };
  readonly aws: {
    readonly endpoint: string;
    readonly region: string;
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
  };
  readonly agent: {
    /** Changes when the agent was restarted. */
    readonly pid: number;
    readonly socketDirectory: string;
    readonly logFile: string;
  };
  /**
   * Lets the cluster export to a bucket, by the steps of Aurora's guide (a role with a policy, associated for
   * s3Export), which a new stack lacks. For tests of other things. The bucket need not exist yet.
   */
  allowExports(bucket: string): Promise<void>;
  /** The state directory, absolute. */
  readonly directory: string;
  /** Resolves only if PostgreSQL ends unexpectedly, with the reason. The stack should then be stopped. */
  readonly failed: Promise<LocalError>;
  /**
   * Stops everything, and lets running exports end first. May be called more than once.
   * @param options.hurry when aborted, running exports and sessions are not waited for any longer
   */
  stop(options?: { hurry?: AbortSignal }): Promise<void>;
}

/**
 * Starts the local stack. It stops at the latest when this process ends. Several may run at the same time, each with
 * its own state directory. If the start fails or is aborted, everything already started is stopped again.
 *
 * @throws LocalError
 */
export async function startLocal(
  options: LocalOptions = {},
  { signal }: { signal?: AbortSignal | undefined } = {},
): Promise<LocalStack> {
  const checked = checkOptions(options);
  const cleanUp = new CleanUp();
  try {
    signal?.throwIfAborted();
    return await start(checked, cleanUp, signal);
  } catch (error) {
    // A failure to clean up must not hide the first error, which says what went wrong.
    await cleanUp.run().catch(() => undefined);
    throw error;
  }
}

async function start(
  options: CheckedOptions,
  cleanUp: CleanUp,
  signal: AbortSignal | undefined,
): Promise<LocalStack> {
  const { log, region, cluster } = options;
  const hurrying = new AbortController();
  const hurry = hurrying.signal;

  const home = await openHome(options, cleanUp);
  const { directory, state } = home;
  const aws = await startLocalAws(
    {
      port: options.awsPort,
      directory: join(directory, 'aws'),
      region,
      administrator: state.aws,
      rdsService: { ...state.rdsService, sourceArn: clusterArn(region, cluster) },
      rdsAgent: { socketPath: rdsSocket(home.run), region, ...state.rdsService },
      log,
    },
    { signal },
  );
  cleanUp.add(() => aws.stop());

  const { postgres, agent } = await startServers(options, home, aws.endpoint, { cleanUp, hurry, signal });
  await joinExtension(postgres, home.run.agent);

  let stopped: Promise<void> | undefined;
  const { host, port, user, password, url } = postgres;
  const stop: LocalStack['stop'] = (stopOptions = {}) => {
    if (stopOptions.hurry?.aborted === true) hurrying.abort();
    stopOptions.hurry?.addEventListener('abort', () => hurrying.abort(), { once: true });
    return (stopped ??= cleanUp.run());
  };
  return {
    cluster,
    postgres: { host, port, user, password, database: 'postgres', url },
    aws: { endpoint: aws.endpoint, region, ...state.aws },
    allowExports: (bucket) =>
      allowExports({ endpoint: aws.endpoint, region, cluster, credentials: state.aws, bucket }),
    agent: {
      get pid() {
        return agent.pid;
      },
      socketDirectory: home.run.agent,
      logFile: logFile(directory, 'agent'),
    },
    directory,
    failed: unexpectedEnd(postgres, logFile(directory, 'postgres'), () => stopped !== undefined),
    stop,
    [Symbol.asyncDispose]: () => stop(),
  };
}

function clusterArn(region: string, cluster: string): string {
  return `arn:aws:rds:${region}:000000000000:cluster:${cluster}`;
}

async function unexpectedEnd(
  postgres: RunningPostgres,
  log: string,
  isStopped: () => boolean,
): Promise<LocalError> {
  await postgres.ended;
  // The stack was stopped on purpose: `failed` must never resolve.
  if (isStopped()) return new Promise(() => undefined);
  return new LocalError('postgres_failed', 'PostgreSQL ended unexpectedly', { hint: `Its log is ${log}.` });
}

interface ServerContext {
  cleanUp: CleanUp;
  hurry: AbortSignal;
  signal: AbortSignal | undefined;
}

/**
 * Starts PostgreSQL and the agent at the same time. They are stopped one after the other, the agent first, so that
 * exports end before PostgreSQL's sessions do.
 */
async function startServers(
  options: CheckedOptions,
  home: Home,
  endpoint: string,
  { cleanUp, hurry, signal }: ServerContext,
): Promise<{ postgres: RunningPostgres; agent: SupervisedAgent }> {
  const failing = new AbortController();
  const either = signal === undefined ? failing.signal : AbortSignal.any([signal, failing.signal]);
  // Chosen here, because the agent's configuration contains the port.
  const port = await choosePort(options.pgPort);
  if (options.pgPort !== 0 && port !== options.pgPort) {
    options.log(`port ${options.pgPort} is taken, so PostgreSQL listens on ${port}`);
  }
  const stopTheOther = (error: unknown) => {
    failing.abort(error);
    throw error;
  };
  const [postgres, agent] = await Promise.allSettled([
    startStackPostgres({ ...options, pgPort: port }, home, either).catch(stopTheOther),
    startStackAgent({ ...options, pgPort: port }, home, endpoint, { signal: either }).catch(stopTheOther),
  ]);
  if (postgres.status === 'fulfilled') cleanUp.add(() => postgres.value.stop({ hurry }));
  if (agent.status === 'fulfilled') cleanUp.add(() => agent.value.stop({ hurry }));
  if (postgres.status === 'rejected') throw postgres.reason;
  if (agent.status === 'rejected') throw agent.reason;
  if (postgres.value.port === port) return { postgres: postgres.value, agent: agent.value };
  // Another program took the port, and PostgreSQL listens on another one: the agent must be restarted with that one.
  await agent.value.stop({ hurry });
  const moved = await startStackAgent({ ...options, pgPort: postgres.value.port }, home, endpoint, {
    signal,
  });
  cleanUp.add(() => moved.stop({ hurry }));
  return { postgres: postgres.value, agent: moved };
}

function startStackPostgres(
  options: CheckedOptions,
  home: Home,
  signal: AbortSignal,
): Promise<RunningPostgres> {
  const { directory, dataDirectory, state, run } = home;
  return startPostgres(
    {
      major: options.pgVersion,
      dataDirectory,
      socketDirectory: run.postgres,
      logFile: logFile(directory, 'postgres'),
      password: state.postgres.password,
      port: options.pgPort,
      durable: options.durable ?? options.dir !== undefined,
      settings: { 'sluice.socket_directory': run.agent },
      extensionDirectory: join(sluicePackage(), 'extension'),
      temporaryDirectories: home.isTemporary ? [directory, run.path] : [],
      cacheDirectory: options.cacheDirectory ?? defaultCacheDirectory(process.env),
      log: options.log,
    },
    { signal },
  );
}
