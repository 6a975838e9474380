import { readFile } from 'node:fs/promises';
import type { Config } from '../config/schema.ts';
import { SluiceError } from '../errors.ts';
import { S3Connection, type S3CredentialsProvider } from '../s3/connection.ts';

/** Anybody who may export may name Regions; AWS has fewer than these. */
const MAX_REGIONS = 64;

/** The agent's connections to S3, one for each AWS Region that is exported to, made when it is first named. */
export class S3Connections {
  readonly #config: Config;
  readonly #credentials: S3CredentialsProvider;
  readonly #ca: string | undefined;
  readonly #byRegion = new Map<string, S3Connection>();

  private constructor(config: Config, ca: string | undefined) {
    this.#config = config;
    this.#ca = ca;
    this.#credentials = credentialsProvider(config);
  }

  /** @throws SluiceError `config_invalid`: s3.ca_file can't be read */
  static async open(config: Config): Promise<S3Connections> {
    const path = config.s3.ca_file;
    try {
      return new S3Connections(config, path === undefined ? undefined : await readFile(path, 'utf8'));
    } catch (error) {
      throw new SluiceError('config_invalid', `s3.ca_file: could not read "${path}"`, { cause: error });
    }
  }

  /** @throws SluiceError `invalid_argument`: that can't be a Region */
  get(region: string): S3Connection {
    let connection = this.#byRegion.get(region);
    if (connection === undefined) {
      const { s3 } = this.#config;
      connection = new S3Connection({
        region,
        credentials: this.#credentials,
        endpoint: s3.endpoint,
        ...(s3.force_path_style ? { forcePathStyle: true } : {}),
        checksums: s3.checksums,
        connectTimeoutMs: s3.connect_timeout,
        requestTimeoutMs: s3.request_timeout,
        maxAttempts: s3.max_attempts,
        ca: this.#ca,
      });
      this.#byRegion.set(region, connection);
      // The exports that use the oldest keep it; its idle connections end as S3 closes them.
      const [oldest] = this.#byRegion.keys();
      if (this.#byRegion.size > MAX_REGIONS && oldest !== undefined) this.#byRegion.delete(oldest);
    }
    return connection;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#byRegion.values()].map((connection) => connection.close()));
    this.#byRegion.clear();
  }
}

/** The keys of the configuration, or else AWS's own chain: environment, profile, SSO, web identity, instance metadata. */
function credentialsProvider({ s3, cluster }: Config): S3CredentialsProvider {
  const { access_key_id: accessKeyId, secret_access_key: secretAccessKey, session_token: sessionToken } = s3;
  if (accessKeyId !== undefined && secretAccessKey !== undefined) {
    return () => Promise.resolve({ accessKeyId, secretAccessKey, sessionToken });
  }
  let chain: S3CredentialsProvider | undefined;
  return async (options) => {
    const { fromNodeProviderChain } = await import('@aws-sdk/credential-providers');
    chain ??= fromNodeProviderChain({
      clientConfig: { region: cluster.region },
      ...(s3.profile === undefined ? {} : { profile: s3.profile }),
    });
    try {
      return await chain(options);
    } catch (error) {
      throw new SluiceError('credentials_unavailable', 'the agent has no AWS credentials', {
        cause: error,
        detail: error instanceof Error ? error.message : String(error),
        hint: 'Give the agent credentials the way the AWS SDKs take them (environment, profile, instance role), or set access_key_id and secret_access_key under [s3] in sluice.toml.',
      });
    }
  };
}
