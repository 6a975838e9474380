import { validateCompression, type Compression } from '../compression/compression.ts';
import type { CopyLayout } from '../copy-options/copy-layout.ts';
import { cancelAtSignal } from '../source/cancel-at-signal.ts';
import { connectTo, disconnect } from '../source/connect.ts';
import { copyRequestOf, statementIn } from '../source/copy-request.ts';
import { errorOfSession } from '../source/lost-connection.ts';
import { validateObjectSettings } from '../s3/object-settings.ts';
import type { SourceClient } from '../source/source-client.ts';
import { SnapshotKeeper } from '../tables/snapshot-keeper.ts';
import { requireEmpty, type DestinationOptions } from './destination.ts';
import type { ExportTablesRequest } from './export-tables-request.ts';
import { planExport, jobsOf, type PlannedTable } from './plan-export.ts';
import { pieceCopies } from './piece-copy.ts';
import type { PieceJob } from './piece-job.ts';

const DEFAULT_FILE_SIZE_BYTES = 256 * 1024 ** 2;

/** A plan for people and programs; sizes are those on disk. */
export interface PlanDescription {
  tables: {
    name: string;
    files: number;
    /** Undefined where PostgreSQL has no estimate. */
    estimatedRows: number | undefined;
    estimatedBytes: number;
  }[];
  /** Views and foreign tables that only wildcards matched. */
  leftOut: string[];
  destination: string;
}

/** An export before its first row is read: the snapshot, its tables and their pieces. */
export class ExportPlan implements AsyncDisposable {
  readonly keeper: SnapshotKeeper;
  readonly tables: readonly PlannedTable[];
  readonly jobs: readonly PieceJob[];
  readonly layout: CopyLayout;
  readonly compression: Compression | undefined;
  readonly #client: SourceClient;
  readonly #request: ExportTablesRequest;

  private constructor(
    parts: Pick<ExportPlan, 'keeper' | 'tables' | 'jobs' | 'layout' | 'compression'>,
    client: SourceClient,
    request: ExportTablesRequest,
  ) {
    this.keeper = parts.keeper;
    this.tables = parts.tables;
    this.jobs = parts.jobs;
    this.layout = parts.layout;
    this.compression = parts.compression;
    this.#client = client;
    this.#request = request;
  }

  /** Connects, locks the tables, takes the snapshot, and cuts the tables. Errors as exportTables. */
  static async open(request: ExportTablesRequest): Promise<ExportPlan> {
    const { database, signal } = request;
    validateObjectSettings(request);
    const compression =
      request.compression === undefined ? undefined : validateCompression(request.compression);
    const client = await connectTo({ connectionString: database, signal });
    try {
      return await cancelAtSignal(client, signal, () => ExportPlan.#make(client, request, compression));
    } catch (error) {
      const reason = errorOfSession(client, error);
      await disconnect(client);
      throw reason;
    }
  }

  static async #make(
    client: SourceClient,
    request: ExportTablesRequest,
    askedCompression: Compression | undefined,
  ): Promise<ExportPlan> {
    const { tables = [], splitBy, prefix, signal } = request;
    const { fileSizeBytes: pieceBytes = DEFAULT_FILE_SIZE_BYTES } = request;
    const copyRequest = await copyRequestOf(client, request.copyOptions);
    const { layout } = copyRequest;
    const copyOf = pieceCopies(copyRequest, request.headerIn);
    const compression = askedCompression ?? copyRequest.compression;
    const query = request.query === undefined ? undefined : statementIn(request.query, copyRequest);
    const queries = query === undefined ? [] : [query];
    const keeper = await SnapshotKeeper.open(client, { tables, queries, signal });
    try {
      const planned = await planExport({
        keeper,
        query,
        splitBy,
        prefix,
        pieceBytes,
        compression,
        layout,
        signal,
      });
      const jobs = jobsOf(planned, { layout, compression, copyOf });
      return new ExportPlan({ keeper, tables: planned, jobs, layout, compression }, client, request);
    } catch (error) {
      await keeper.end();
      throw error;
    }
  }

  describe(): PlanDescription {
    const { bucket, prefix } = this.#request;
    return {
      tables: this.tables.map(({ name, pieces }) => {
        const rows = pieces.map(({ estimatedRows }) => estimatedRows);
        return {
          name,
          files: pieces.length,
          estimatedRows: rows.every((count) => count !== undefined)
            ? rows.reduce((sum, count) => sum + count, 0)
            : undefined,
          estimatedBytes: pieces.reduce((sum, { estimatedBytes }) => sum + estimatedBytes, 0),
        };
      }),
      leftOut: this.keeper.leftOut.map(({ kind, schema, name }) => `the ${kind} ${schema}.${name}`),
      destination: `s3://${bucket}/${prefix}`,
    };
  }

  get manifestKey(): string | undefined {
    const { manifest = true, prefix } = this.#request;
    return manifest ? `${prefix}manifest.json` : undefined;
  }

  /** What the export stores, and nothing else does. */
  get destination(): DestinationOptions {
    const { connection, bucket, signal } = this.#request;
    const folders = this.tables.map(({ folder }) => folder);
    const { manifestKey } = this;
    return {
      connection,
      bucket,
      prefixes: manifestKey === undefined ? folders : [...folders, manifestKey],
      signal,
    };
  }

  /** @throws SluiceError `destination_exists`, where objects must not be replaced; UploadError */
  async checkDestination(): Promise<void> {
    if ((this.#request.ifExists ?? 'fail') === 'fail') await requireEmpty(this.destination);
  }

  /** Another session that sees the snapshot. */
  async connect(signal: AbortSignal): Promise<SourceClient> {
    const client = await connectTo({ connectionString: this.#request.database, signal });
    try {
      await cancelAtSignal(client, signal, () => this.keeper.join(client, { signal }));
      return client;
    } catch (error) {
      const reason = errorOfSession(client, error);
      await disconnect(client);
      throw reason;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.keeper.end();
    await disconnect(this.#client);
  }
}
