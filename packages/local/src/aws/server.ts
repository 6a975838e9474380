import { createServer, type Server } from 'node:http';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { LocalError, systemErrorCode } from '../errors.ts';
import { Endpoint, type AwsRequestLog } from './endpoint.ts';
import { openIam, type IamOptions } from './iam/open-iam.ts';
import { iamService } from './iam/iam-service.ts';
import type { RdsAgent } from './rds/forward-to-agent.ts';
import { rdsService } from './rds/rds-service.ts';
import { S3Service } from './s3/s3-service.ts';
import { stsService } from './sts/sts-service.ts';

export interface AwsServerOptions extends IamOptions {
  /** A loopback address. @default '127.0.0.1' */
  readonly host?: string;
  /** 0 takes any free port. */
  readonly port: number;
  /**
   * The directory for the state of all services; created when it does not exist. Only one server at a time may use it.
   */
  readonly directory: string;
  /**
   * The region of the services that have one. S3 needs none: a bucket is in the region of its LocationConstraint, or in
   * the one that CreateBucket was signed for.
   */
  readonly region?: string;
  /** The agent that serves the RDS API. @default no RDS API */
  readonly rdsAgent?: RdsAgent;
  /**
   * The shortest session that STS accepts, in seconds; tests of expiry need a shorter one than AWS allows. @default 900
   */
  readonly minSessionSeconds?: number;
  /** What to do when the port is taken: reject with `port_busy`, or take any free port. @default 'reject' */
  readonly onPortBusy?: 'reject' | 'take-any';
  /** Called with every request when it has ended. */
  readonly log?: (request: AwsRequestLog) => void;
}

export interface RunningAwsServer {
  /** @example 'http://127.0.0.1:9000' */
  readonly endpoint: string;
  readonly port: number;
  /** Closes idle connections at once, gives running requests a few seconds, and closes the state. */
  stop(): Promise<void>;
}

/** Room for a key, prefix, marker and token of 1,024 bytes each, percent-encoded, and 2 KiB of metadata. */
const MAX_HEADER_BYTES = 32 * 1024;
const HEADERS_TIMEOUT_MS = 30_000;
/** A connection without any traffic is closed after this time; the duration of a transfer has no limit. */
const IDLE_TIMEOUT_MS = 120_000;
/**
 * Longer than clients keep an idle connection, so that the server does not close one that a client is about to reuse.
 */
const KEEP_ALIVE_TIMEOUT_MS = 75_000;
const STOP_GRACE_MS = 3000;

const LOOPBACK = /^(127\.\d+\.\d+\.\d+|::1|localhost)$/;

/**
 * Starts the local AWS: one HTTP endpoint for all services.
 * @throws LocalError port_busy, invalid_option, directory_unusable
 */
export async function startAwsServer(
  options: AwsServerOptions,
  { signal }: { signal?: AbortSignal | undefined } = {},
): Promise<RunningAwsServer> {
  const { host = '127.0.0.1', minSessionSeconds = 900 } = options;
  signal?.throwIfAborted();
  if (!LOOPBACK.test(host)) {
    throw new LocalError(
      'invalid_option',
      `the local AWS listens on loopback addresses only, not on ${host}`,
    );
  }
  const { store, identity } = await openIam(path.join(options.directory, 'iam'), options);
  const s3 = await S3Service.open({ directory: path.join(options.directory, 's3'), identity }, { signal });
  const iam = iamService(store, identity);
  const sts = stsService({ store, minSessionSeconds }, identity);
  const rds = options.rdsAgent === undefined ? {} : { rds: rdsService(options.rdsAgent, identity) };
  try {
    const endpoint = new Endpoint({ s3, iam, sts, ...rds }, options.log);
    const server = createServer({
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: 0,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    });
    server.setTimeout(IDLE_TIMEOUT_MS);
    endpoint.serve(server);
    const port = await listen(server, host, options, signal);
    // Only the connection that could not be accepted is lost (no file descriptor, no memory).
    server.on('error', () => undefined);
    let stopped: Promise<void> | undefined;
    return {
      endpoint: `http://${host.includes(':') ? `[${host}]` : host}:${port}`,
      port,
      stop: () => (stopped ??= stop(server, endpoint, s3)),
    };
  } catch (error) {
    await s3.close();
    throw error;
  }
}

async function listen(
  server: Server,
  host: string,
  { port, onPortBusy }: AwsServerOptions,
  signal: AbortSignal | undefined,
): Promise<number> {
  signal?.throwIfAborted();
  try {
    return await tryPort(server, host, port);
  } catch (error) {
    if (systemErrorCode(error) !== 'EADDRINUSE') throw error;
    if (onPortBusy === 'take-any') return tryPort(server, host, 0);
    throw new LocalError('port_busy', `port ${port} of ${host} is taken by another program`, {
      cause: error,
      hint: 'Choose another port, or end the program that has it.',
    });
  }
}

function tryPort(server: Server, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      const address = server.address();
      if (address === null || typeof address === 'string') reject(new Error('a TCP server has no port'));
      else resolve(address.port);
    });
  });
}

async function stop(server: Server, endpoint: Endpoint, s3: S3Service): Promise<void> {
  const closed = new Promise<void>((resolve) => {
    // This also closes the idle connections.
    server.close(() => resolve());
  });
  const grace = new AbortController();
  await Promise.race([
    endpoint.drained(),
    delay(STOP_GRACE_MS, undefined, { signal: grace.signal }).catch(() => undefined),
  ]);
  grace.abort();
  server.closeAllConnections();
  await closed;
  await endpoint.drained();
  await s3.close();
}
