import { readFile } from 'node:fs/promises';
import type { Config } from '../config/schema.ts';
import { SluiceError } from '../errors.ts';
import type { ClusterRoles } from '../identity/cluster-roles.ts';
import type { RoleSession } from '../identity/role-credentials.ts';
import {
  S3Connection,
  type S3ConnectionOptions,
  type S3Credentials,
  type S3CredentialsProvider,
} from '../s3/connection.ts';
import { isUploadError } from '../s3/upload-error.ts';
import { SQL_WORDS } from './sql-words.ts';

/** How many unused connections are kept for later exports. */
const MAX_IDLE_CONNECTIONS = 32;

/** The use of a connection to S3 by one export. */
export interface S3Lease {
  readonly connection: S3Connection;
  /** S3 refused the connection's credentials: exports that begin later get new ones. */
  refused(): void;
  release(): void;
}

interface Entry {
  connection: S3Connection;
  session: RoleSession | undefined;
  users: number;
}

/**
 * The agent's connections to S3: one for each AWS Region and role session. Each database role has a role session of its
 * own.
 */
export class S3Connections {
  readonly #config: Config;
  readonly #roles: ClusterRoles;
  readonly #ca: string | undefined;
  /** In the order of last use, the latest last. */
  readonly #entries = new Map<string, Entry>();

  private constructor(config: Config, roles: ClusterRoles, ca: string | undefined) {
    this.#config = config;
    this.#roles = roles;
    this.#ca = ca;
  }

  /** @throws SluiceError `config_invalid`: s3.ca_file can't be read */
  static async open(config: Config, roles: ClusterRoles): Promise<S3Connections> {
    return new S3Connections(config, roles, await readCertificates('s3.ca_file', config.s3.ca_file));
  }

  /**
   * The connection for an export of a database role. Its credentials have been fetched.
   *
   * @throws SluiceError `credentials_unavailable`; `invalid_argument`: that can't be a Region; the signal's reason
   */
  async forExport(
    { databaseRole, region }: { databaseRole: string; region: string },
    { signal }: { signal?: AbortSignal | undefined } = {},
  ): Promise<S3Lease> {
    if (staticCredentials(this.#config) !== undefined) return this.#lease(region, undefined);
    return this.#leaseFor(region, this.#roles.exportSession(databaseRole), signal);
  }

  /** The connection for cleaning up after an older agent, which did not note the database role. */
  async #forCleanUp(region: string, { signal }: { signal?: AbortSignal | undefined }): Promise<S3Lease> {
    if (staticCredentials(this.#config) !== undefined) return this.#lease(region, undefined);
    return this.#leaseFor(region, this.#roles.cleanUpSession(), signal);
  }

  /**
   * Runs a clean-up with the connection of the export's database role, if it is known: the IAM policy may allow one
   * role what it denies another. Errors as forExport.
   */
  async use<T>(
    { region, databaseRole }: { region: string; databaseRole?: string | undefined },
    options: { signal?: AbortSignal | undefined },
    run: (connection: S3Connection) => Promise<T>,
  ): Promise<T> {
    const lease =
      databaseRole === undefined
        ? await this.#forCleanUp(region, options)
        : await this.forExport({ databaseRole, region }, options);
    try {
      return await run(lease.connection);
    } catch (error) {
      if (isUploadError(error) && error.httpStatus === 403) lease.refused();
      throw error;
    } finally {
      lease.release();
    }
  }

  async close(): Promise<void> {
    const connections = [...this.#entries.values()].map(({ connection }) => connection);
    this.#entries.clear();
    await Promise.all(connections.map((connection) => connection.close()));
  }

  async #leaseFor(region: string, session: RoleSession, signal: AbortSignal | undefined): Promise<S3Lease> {
    await this.#roles.credentials(session, { signal });
    return this.#lease(region, session);
  }

  #lease(region: string, session: RoleSession | undefined): S3Lease {
    const key = JSON.stringify([region, session?.roleArn, session?.sessionName]);
    const entry = this.#entries.get(key) ?? { connection: this.#connect(region, session), session, users: 0 };
    // Moves the entry to the end of the order.
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    entry.users += 1;
    let isReleased = false;
    return {
      connection: entry.connection,
      refused: () => {
        if (session === undefined) return;
        this.#roles.forget(session);
        if (this.#entries.get(key) === entry) this.#entries.delete(key);
      },
      release: () => {
        if (isReleased) return;
        isReleased = true;
        entry.users -= 1;
        if (entry.users === 0 && this.#entries.get(key) !== entry) closeQuietly(entry);
        this.#closeIdle();
      },
    };
  }

  #closeIdle(): void {
    const idle = [...this.#entries].filter(([, { users }]) => users === 0);
    for (const [key, entry] of idle.slice(0, Math.max(0, idle.length - MAX_IDLE_CONNECTIONS))) {
      this.#entries.delete(key);
      closeQuietly(entry);
    }
  }

  #connect(region: string, session: RoleSession | undefined): S3Connection {
    return connectToS3(this.#config, {
      region,
      credentials: this.#credentialsOf(session),
      roleArn: session?.roleArn,
      ca: this.#ca,
    });
  }

  #credentialsOf(session: RoleSession | undefined): S3CredentialsProvider {
    if (session !== undefined) return (options) => this.#roles.credentials(session, options);
    const keys = staticCredentials(this.#config);
    if (keys === undefined) throw new SluiceError('internal', 'neither a role nor keys to upload with');
    return () => Promise.resolve(keys);
  }
}

/** Makes a connection to S3 with the settings of [s3] in sluice.toml. */
export function connectToS3(
  { s3 }: Config,
  options: Pick<S3ConnectionOptions, 'region' | 'credentials' | 'roleArn' | 'ca'>,
): S3Connection {
  return new S3Connection({
    ...options,
    words: SQL_WORDS,
    endpoint: s3.endpoint,
    ...(s3.force_path_style ? { forcePathStyle: true } : {}),
    checksums: s3.checksums,
    connectTimeoutMs: s3.connect_timeout,
    requestTimeoutMs: s3.request_timeout,
    maxAttempts: s3.max_attempts,
  });
}

/** The access key of [s3], for stores without STS. With it no role is used. */
export function staticCredentials({ s3 }: Config): S3Credentials | undefined {
  const { access_key_id: accessKeyId, secret_access_key: secretAccessKey, session_token: sessionToken } = s3;
  if (accessKeyId === undefined || secretAccessKey === undefined) return undefined;
  return { accessKeyId, secretAccessKey, sessionToken };
}

/**
 * Reads certificates in PEM from a file that sluice.toml names.
 *
 * @param key the key of sluice.toml, for the error message
 * @throws SluiceError `config_invalid`
 */
export async function readCertificates(key: string, path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined;
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new SluiceError('config_invalid', `${key}: could not read "${path}"`, { cause: error });
  }
}

/** Closes a connection that is not used any more. A failure to close it has no consequences, and is ignored. */
function closeQuietly({ connection }: Entry): void {
  connection.close().catch(() => undefined);
}
