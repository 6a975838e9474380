import type { STSClient } from '@aws-sdk/client-sts';
import https from 'node:https';
import type { S3Credentials, S3CredentialsProvider } from '../s3/connection.ts';

const CONNECT_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 10_000;
const MAX_ATTEMPTS = 3;
/**
 * The limit for a whole request to STS: getting the agent's own credentials (from a process or a metadata service), and
 * all attempts.
 */
const DEADLINE_MS = 30_000;

export interface StsOptions {
  region: string;
  credentials: S3CredentialsProvider;
  /** @default AWS STS in the Region */
  endpoint?: string | undefined;
  /** Certificates (PEM) to trust instead of Node's. */
  ca?: string | undefined;
}

export interface AssumeRoleRequest {
  roleArn: string;
  sessionName: string;
  durationMs: number;
  externalId?: string | undefined;
}

/** Credentials of a role's session. */
export interface SessionCredentials extends S3Credentials {
  sessionToken: string;
  expiration: Date;
}

/** The AWS STS operations that Sluice needs. Every call resolves or rejects within 30 seconds. */
export class Sts {
  readonly endpoint: string;
  readonly #options: StsOptions;
  #client: Promise<STSClient> | undefined;

  constructor(options: StsOptions) {
    this.#options = options;
    this.endpoint = options.endpoint ?? `AWS STS in ${options.region}`;
  }

  /**
   * https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
   *
   * @throws the AWS SDK's error, NoBaseCredentialsError, DeadlineError, or the signal's reason
   */
  assumeRole(
    request: AssumeRoleRequest,
    options: { signal?: AbortSignal | undefined } = {},
  ): Promise<SessionCredentials> {
    return withDeadline(options.signal, async (signal) => {
      const { AssumeRoleCommand } = await loadStsSdk();
      const client = await this.#open();
      const command = new AssumeRoleCommand({
        RoleArn: request.roleArn,
        RoleSessionName: request.sessionName,
        DurationSeconds: Math.floor(request.durationMs / 1000),
        ...(request.externalId === undefined ? {} : { ExternalId: request.externalId }),
      });
      const assume = async () =>
        toCredentials((await client.send(command, { abortSignal: signal })).Credentials);
      try {
        return await assume();
      } catch (error) {
        // The agent's own credentials have expired; their source may have newer ones.
        if (isExpiredToken(error)) await client.config.credentials({ forceRefresh: true });
        // The SDK now signs by the clock of this answer. It tries again by itself only if that clock is minutes off.
        else if (!isWrongTime(error)) throw error;
        return assume();
      }
    });
  }

  /**
   * The ARN of the agent's own principal. Needs no permission.
   * https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
   */
  callerArn(options: { signal?: AbortSignal | undefined } = {}): Promise<string | undefined> {
    return withDeadline(options.signal, async (signal) => {
      const { GetCallerIdentityCommand } = await loadStsSdk();
      const client = await this.#open();
      return (await client.send(new GetCallerIdentityCommand({}), { abortSignal: signal })).Arn;
    });
  }

  async close(): Promise<void> {
    (await this.#client)?.destroy();
  }

  #open(): Promise<STSClient> {
    this.#client ??= this.#makeClient();
    return this.#client;
  }

  async #makeClient(): Promise<STSClient> {
    const { STSClient } = await loadStsSdk();
    const { region, credentials, endpoint, ca } = this.#options;
    return new STSClient({
      region,
      credentials: async (options) =>
        copyCredentials(await credentials({ forceRefresh: options?.['forceRefresh'] === true })),
      ...(endpoint === undefined ? {} : { endpoint }),
      maxAttempts: MAX_ATTEMPTS,
      requestHandler: {
        connectionTimeout: CONNECT_TIMEOUT_MS,
        requestTimeout: REQUEST_TIMEOUT_MS,
        throwOnRequestTimeout: true,
        ...(ca === undefined ? {} : { httpsAgent: new https.Agent({ ca, keepAlive: true }) }),
      },
    });
  }
}

/**
 * A request to STS has not even failed in time: `credential_process` and metadata services may take arbitrarily long.
 */
class DeadlineError extends Error {
  constructor() {
    super(`no answer within ${DEADLINE_MS / 1000} seconds`);
    this.name = 'TimeoutError';
  }
}

/** Loaded on first use, so that a start without a role does not load it. */
function loadStsSdk(): Promise<typeof import('@aws-sdk/client-sts')> {
  return import('@aws-sdk/client-sts');
}

async function withDeadline<T>(
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const ending = new AbortController();
  const timer = setTimeout(() => ending.abort(new DeadlineError()), DEADLINE_MS);
  const either = signal === undefined ? ending.signal : AbortSignal.any([signal, ending.signal]);
  let stopWaiting: (() => void) | undefined;
  try {
    either.throwIfAborted();
    const aborted = new Promise<never>((_resolve, reject) => {
      stopWaiting = () => reject(either.reason);
      either.addEventListener('abort', stopWaiting, { once: true });
    });
    return await Promise.race([work(either), aborted]);
  } finally {
    clearTimeout(timer);
    if (stopWaiting !== undefined) either.removeEventListener('abort', stopWaiting);
  }
}

type StsCredentials = import('@aws-sdk/client-sts').Credentials | undefined;

function toCredentials(credentials: StsCredentials): SessionCredentials {
  const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = credentials ?? {};
  if (
    AccessKeyId === undefined ||
    SecretAccessKey === undefined ||
    SessionToken === undefined ||
    Expiration === undefined
  ) {
    throw Object.assign(new Error('the answer has no credentials'), { $metadata: { httpStatusCode: 200 } });
  }
  return {
    accessKeyId: AccessKeyId,
    secretAccessKey: SecretAccessKey,
    sessionToken: SessionToken,
    expiration: Expiration,
  };
}

/** Leaves out properties whose value is undefined, as the SDK's types require. */
function copyCredentials({ accessKeyId, secretAccessKey, sessionToken, expiration }: S3Credentials) {
  return {
    accessKeyId,
    secretAccessKey,
    ...(sessionToken === undefined ? {} : { sessionToken }),
    ...(expiration === undefined ? {} : { expiration }),
  };
}

/** STS tells a wrong clock as a wrong signature: "Signature expired: ... is now earlier than ...". */
export function isWrongTime(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return (
    error.name === 'RequestExpired' ||
    error.name === 'RequestTimeTooSkewed' ||
    /signature (?:expired|not yet current)/i.test(error.message)
  );
}

function isExpiredToken(error: unknown): boolean {
  return error instanceof Error && (error.name === 'ExpiredToken' || error.name === 'ExpiredTokenException');
}
