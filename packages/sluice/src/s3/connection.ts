import http from 'node:http';
import https from 'node:https';
import type { S3Client } from '@aws-sdk/client-s3';
import { SignatureV4 } from '@smithy/signature-v4';
import { Sha256 } from '../aws-protocol/sigv4/sha256.ts';
import { isSluiceError, SluiceError } from '../errors.ts';
import { LIBRARY_WORDS, type ErrorWords } from './error-words.ts';
import { encodeKey, validateRegion } from './s3-uri.ts';
import type { StorageSettings } from './object-settings.ts';
import type { S3Operation, S3Target } from './s3-target.ts';

export interface S3Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string | undefined;
  /** When they expire; they are renewed five minutes earlier. Without it they are used until S3 refuses them. */
  expiration?: Date | undefined;
}

/**
 * Provides the credentials to upload with; the connection caches them. `forceRefresh` is true when S3 has refused the
 * cached ones as expired. The providers of `@aws-sdk/credential-providers` have this type.
 */
export type S3CredentialsProvider = (options?: { forceRefresh?: boolean }) => Promise<S3Credentials>;

export interface S3ConnectionOptions {
  /** The Region of the buckets, such as `us-west-2`. Requests to another store are signed for it, too. */
  region: string;
  credentials: S3CredentialsProvider;
  /** The role that the credentials belong to, if any. Hints of errors name it. */
  roleArn?: string | undefined;
  /** What errors call the settings of this connection. @default as they are called here */
  words?: ErrorWords | undefined;
  /** The URL of an S3-compatible store, e.g. `https://minio.example:9000`. @default Amazon S3 in the Region */
  endpoint?: string | undefined;
  /**
   * `endpoint/bucket/key` instead of `bucket.endpoint/key`. @default true with an endpoint, else by the bucket's name
   */
  forcePathStyle?: boolean | undefined;
  /** Send a CRC32 with each object and part, for S3 to check and keep. @default 'crc32' */
  checksums?: 'crc32' | 'none' | undefined;
  /** How long making a connection may take. @default 5000 */
  connectTimeoutMs?: number | undefined;
  /**
   * How long a request may go without the operating system accepting or delivering a byte. The operating system buffers
   * some megabytes, so this time must be long enough to send those. @default 30000
   */
  requestTimeoutMs?: number | undefined;
  /** How many times a request is sent before its failure is final. @default 5 */
  maxAttempts?: number | undefined;
  /** Certificates (PEM) to trust instead of Node's. */
  ca?: string | Buffer | readonly string[] | undefined;
}

/** Loaded on first use: the SDK takes 240 ms and 20 MB, which commands without uploads save. */
export function loadS3Sdk(): Promise<typeof import('@aws-sdk/client-s3')> {
  return import('@aws-sdk/client-s3');
}

/** Idle connections kept for the next requests; S3 closes them by itself after some seconds. */
const MAX_IDLE_SOCKETS = 64;

/**
 * Access to S3 with one set of credentials: keep-alive connections, endpoints and signatures. Several exports share it.
 * The AWS SDK and our own sending of objects and parts use the same connections and the same cached credentials.
 */
export class S3Connection {
  readonly region: string;
  /** Undefined for Amazon S3 itself. */
  readonly endpoint: string | undefined;
  readonly checksums: 'crc32' | 'none';
  readonly connectTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly maxAttempts: number;

  readonly #options: S3ConnectionOptions;
  readonly #httpAgent: http.Agent;
  readonly #httpsAgent: https.Agent;
  #client: Promise<S3Client> | undefined;
  #signer: Promise<SignatureV4> | undefined;

  constructor(options: S3ConnectionOptions) {
    validateRegion(options.region);
    validateEndpoint(options.endpoint);
    this.region = options.region;
    this.endpoint = options.endpoint;
    this.checksums = options.checksums ?? 'crc32';
    this.connectTimeoutMs = options.connectTimeoutMs ?? 5_000;
    this.requestTimeoutMs = options.requestTimeoutMs ?? 30_000;
    this.maxAttempts = options.maxAttempts ?? 5;
    this.#options = options;
    const agentOptions = { keepAlive: true, maxFreeSockets: MAX_IDLE_SOCKETS, scheduling: 'lifo' } as const;
    this.#httpAgent = new http.Agent(agentOptions);
    const { ca } = options;
    this.#httpsAgent = new https.Agent({
      ...agentOptions,
      ...(ca === undefined ? {} : { ca: typeof ca === 'string' || Buffer.isBuffer(ca) ? ca : [...ca] }),
    });
  }

  /** The AWS SDK's client. It does not retry, because `withRetries` retries both its requests and our own. */
  client(): Promise<S3Client> {
    this.#client ??= this.#makeClient();
    return this.#client;
  }

  /**
   * The headers of a request with its signature. If our clock was found to be wrong, the signature is made by S3's
   * clock.
   */
  async signedHeaders(request: UnsignedRequest): Promise<Record<string, string>> {
    this.#signer ??= this.#makeSigner();
    const signer = await this.#signer;
    const { config } = await this.client();
    const signingDate = new Date(Date.now() + config.systemClockOffset);
    const { headers } = await signer.sign(request, { signingDate });
    return headers;
  }

  /** How far S3's clock is ahead of this host's, by the last answer; S3 gives whole seconds. */
  async clockOffsetMs(): Promise<number> {
    const { config } = await this.client();
    return config.systemClockOffset;
  }

  /**
   * From now on signs by S3's clock, after S3 refused a signature because of its time. The SDK's client does this by
   * itself.
   *
   * @param serverDate in milliseconds since 1970
   */
  async correctClock(serverDate: number): Promise<void> {
    const { config } = await this.client();
    config.systemClockOffset = serverDate - Date.now();
  }

  agentFor(protocol: string): http.Agent {
    return protocol === 'https:' ? this.#httpsAgent : this.#httpAgent;
  }

  /** The URL of a bucket's objects, by the SDK's rules (the SDK caches the results). */
  async endpointOf(bucket: string): Promise<BucketEndpoint> {
    const { config } = await this.client();
    const { endpoint, forcePathStyle = endpoint !== undefined } = this.#options;
    const { url } = config.endpointProvider({
      Bucket: bucket,
      Region: this.region,
      ForcePathStyle: forcePathStyle,
      UseFIPS: await config.useFipsEndpoint(),
      UseDualStack: await config.useDualstackEndpoint(),
      ...(endpoint === undefined ? {} : { Endpoint: endpoint }),
    });
    return {
      protocol: url.protocol === 'http:' ? 'http:' : 'https:',
      host: url.host,
      hostname: url.hostname.replace(/^\[(.*)\]$/, '$1'),
      port: url.port === '' ? undefined : Number(url.port),
      basePath: url.pathname.replace(/\/+$/, ''),
    };
  }

  /** What a request is about, for error messages. */
  async target(
    operation: S3Operation,
    { bucket, key, kmsKeyId, tags = {} }: { bucket: string; key: string } & StorageSettings,
  ): Promise<S3Target> {
    const { protocol, host } = await this.endpointOf(bucket);
    const { roleArn, words = LIBRARY_WORDS } = this.#options;
    return {
      operation,
      bucket,
      key,
      kmsKeyId,
      hasTags: Object.keys(tags).length > 0,
      region: this.region,
      endpoint: `${protocol}//${host}`,
      roleArn,
      words,
    };
  }

  /** Fetches new credentials, after S3 refused the cached ones as expired. */
  async renewCredentials(): Promise<void> {
    const { config } = await this.client();
    await config.credentials({ forceRefresh: true });
  }

  /** Closes all connections, also those in use. */
  async close(): Promise<void> {
    this.#httpAgent.destroy();
    this.#httpsAgent.destroy();
    const client = await this.#client;
    client?.destroy();
  }

  async #makeClient(): Promise<S3Client> {
    const { S3Client } = await loadS3Sdk();
    const { endpoint, forcePathStyle = endpoint !== undefined } = this.#options;
    const checksumPolicy = this.checksums === 'none' ? 'WHEN_REQUIRED' : 'WHEN_SUPPORTED';
    return new S3Client({
      region: this.region,
      credentials: (options) => this.#provideCredentials(options?.['forceRefresh'] === true),
      ...(endpoint === undefined ? {} : { endpoint }),
      forcePathStyle,
      maxAttempts: 1,
      requestChecksumCalculation: checksumPolicy,
      responseChecksumValidation: checksumPolicy,
      requestHandler: {
        connectionTimeout: this.connectTimeoutMs,
        socketTimeout: this.requestTimeoutMs,
        httpAgent: this.#httpAgent,
        httpsAgent: this.#httpsAgent,
      },
    });
  }

  async #makeSigner(): Promise<SignatureV4> {
    const { config } = await this.client();
    return new SignatureV4({
      service: 's3',
      region: this.region,
      credentials: config.credentials,
      sha256: Sha256,
      // S3 signs the path as it is sent, escaped once; see
      // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
      uriEscapePath: false,
      applyChecksum: false,
    });
  }

  async #provideCredentials(forceRefresh: boolean): Promise<CopiedCredentials> {
    try {
      const { accessKeyId, secretAccessKey, sessionToken, expiration } = await this.#options.credentials({
        forceRefresh,
      });
      return {
        accessKeyId,
        secretAccessKey,
        ...(sessionToken === undefined ? {} : { sessionToken }),
        ...(expiration === undefined ? {} : { expiration }),
      };
    } catch (error) {
      if (isSluiceError(error)) throw error;
      throw new SluiceError('credentials_unavailable', 'no credentials to upload to Amazon S3', {
        detail: error instanceof Error ? error.message : String(error),
        cause: error,
      });
    }
  }
}

export interface UnsignedRequest {
  method: string;
  protocol: string;
  hostname: string;
  path: string;
  query: Record<string, string>;
  headers: Record<string, string>;
}

interface CopiedCredentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
  expiration?: Date;
}

export interface BucketEndpoint {
  protocol: 'http:' | 'https:';
  /** The Host header: with the port, unless it is the default of the scheme. */
  host: string;
  hostname: string;
  port: number | undefined;
  /** The path before the slash and the key. */
  basePath: string;
}

export function objectPath({ basePath }: BucketEndpoint, key: string): string {
  return `${basePath}/${encodeKey(key)}`;
}

function validateEndpoint(endpoint: string | undefined): void {
  if (endpoint === undefined) return;
  if (!URL.canParse(endpoint) || !/^https?:\/\//.test(endpoint)) {
    throw new SluiceError('invalid_argument', `invalid Amazon S3 endpoint: ${JSON.stringify(endpoint)}`, {
      hint: 'Give a URL such as https://s3.example:9000.',
    });
  }
}
