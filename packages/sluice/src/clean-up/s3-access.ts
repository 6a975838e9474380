import type { S3Connection } from '../s3/connection.ts';

/** Connections to S3 for cleaning up. */
export interface S3Access {
  /**
   * @param entry.databaseRole the database role that the export ran for, where each has an AWS session of its own
   * @throws SluiceError `credentials_unavailable`, `invalid_argument`; what `run` throws
   */
  use<T>(
    entry: { region: string; databaseRole?: string | undefined },
    options: { signal?: AbortSignal | undefined },
    run: (connection: S3Connection) => Promise<T>,
  ): Promise<T>;
}
