import { readFile } from 'node:fs/promises';
import { S3Connection, SluiceError } from 'sluice';
import { baseCredentials, regionOf } from 'sluice/engine';
import type { S3Settings } from './fleet-config.ts';

/** The connections to S3 of one process: one for each AWS Region. */
export class S3Pool {
  readonly #settings: S3Settings;
  readonly #ca: string | undefined;
  readonly #connections = new Map<string, S3Connection>();

  private constructor(settings: S3Settings, ca: string | undefined) {
    this.#settings = settings;
    this.#ca = ca;
  }

  /** @throws SluiceError `config_invalid`: s3.ca_file can't be read */
  static async open(settings: S3Settings): Promise<S3Pool> {
    return new S3Pool(settings, settings.caFile === undefined ? undefined : await readCa(settings.caFile));
  }

  /** @param region of the bucket. @default the configuration's, or else that of AWS's own settings */
  async forRegion(region: string | undefined): Promise<S3Connection> {
    const { profile } = this.#settings;
    const chosen = region ?? this.#settings.region ?? (await regionOf(profile));
    const known = this.#connections.get(chosen);
    if (known !== undefined) return known;
    const { keys, endpoint, forcePathStyle, checksums } = this.#settings;
    const connection = new S3Connection({
      region: chosen,
      endpoint: endpoint ?? process.env['AWS_ENDPOINT_URL_S3'] ?? process.env['AWS_ENDPOINT_URL'],
      forcePathStyle,
      checksums,
      credentials: baseCredentials({ region: chosen, keys, profile }),
      connectTimeoutMs: this.#settings.connectTimeoutMs,
      requestTimeoutMs: this.#settings.requestTimeoutMs,
      maxAttempts: this.#settings.maxAttempts,
      ca: this.#ca,
    });
    this.#connections.set(chosen, connection);
    return connection;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#connections.values()].map((connection) => connection.close()));
  }
}

async function readCa(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new SluiceError('config_invalid', `s3.ca_file: could not read "${path}"`, { cause: error });
  }
}
