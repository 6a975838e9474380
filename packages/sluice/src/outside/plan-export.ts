import type { Client } from 'pg';
import { SluiceError } from '../errors.ts';
import type { CopyLayout } from '../copy-options/copy-layout.ts';
import { queryColumns } from '../tables/column-types.ts';
import type { Piece } from '../tables/piece.ts';
import { planPieces, planQueryPieces } from '../tables/plan-pieces.ts';
import type { SnapshotKeeper } from '../tables/snapshot-keeper.ts';
import type { Column, Table } from '../tables/table.ts';
import type { Compression } from '../compression/compression.ts';
import { fileFormat } from './file-format.ts';
import { pieceKey, tableFolder } from './object-keys.ts';
import type { pieceCopies } from './piece-copy.ts';
import type { PieceJob } from './piece-job.ts';

/** A table, or the query, of an export: where its files go, and how it is read. */
export interface PlannedTable {
  /** `schema.table`, or "query". */
  name: string;
  /** Of its files; ends with a slash. */
  folder: string;
  /** Undefined for a query. */
  table: Table | undefined;
  columns: readonly Column[];
  pieces: readonly Piece[];
}

export interface PlanRequest {
  keeper: SnapshotKeeper;
  query: string | undefined;
  splitBy: string | undefined;
  prefix: string;
  pieceBytes: number;
  compression: Compression | undefined;
  layout: CopyLayout;
  signal: AbortSignal | undefined;
}

const QUERY_FOLDER = 'query/';
/** Above, what holds the export together (open uploads, the manifest) is more than one process should. */
const MOST_PIECES = 100_000;

/** Cuts what is exported into pieces, and gives each its file. Reads no row but those that cutting by a column needs. */
export async function planExport(request: PlanRequest): Promise<PlannedTable[]> {
  const { keeper, query, splitBy, prefix, pieceBytes, signal } = request;
  const options = { pieceBytes, splitBy, signal };
  return keeper.use(async (client) => {
    const planned: PlannedTable[] = [];
    for (const table of keeper.tables) {
      planned.push({
        name: `${table.schema}.${table.name}`,
        folder: tableFolder(prefix, table),
        table,
        columns: table.columns,
        pieces: await planPieces(client, [table], options),
      });
    }
    if (query !== undefined)
      planned.push(await planQuery(client, query, `${prefix}${QUERY_FOLDER}`, options));
    const pieces = planned.reduce((sum, table) => sum + table.pieces.length, 0);
    if (pieces > MOST_PIECES) throw tooManyPieces(pieces);
    return planned;
  });
}

/** The pieces of all tables as jobs, in the order of tables and pieces. */
export function jobsOf(
  tables: readonly PlannedTable[],
  {
    layout,
    compression,
    copyOf,
  }: Pick<PlanRequest, 'layout' | 'compression'> & { copyOf: ReturnType<typeof pieceCopies> },
): PieceJob[] {
  const format = fileFormat(layout.rowFormat);
  return tables
    .flatMap(({ folder, pieces }, table) =>
      pieces.map(({ sql, index, estimatedBytes }) => ({
        table,
        ...copyOf(sql, index),
        key: pieceKey(folder, index, format, compression?.format),
        estimatedBytes,
      })),
    )
    .map((job, id) => ({ id, ...job }));
}

async function planQuery(
  client: Client,
  query: string,
  folder: string,
  options: { pieceBytes: number; splitBy: string | undefined; signal: AbortSignal | undefined },
): Promise<PlannedTable> {
  return {
    name: 'query',
    folder,
    table: undefined,
    columns: await queryColumns(client, query),
    pieces: await planQueryPieces(client, query, options),
  };
}

function tooManyPieces(pieces: number): SluiceError {
  return new SluiceError('invalid_argument', `the export would have ${pieces} files`, {
    detail: `No more than ${MOST_PIECES} are made at once.`,
    hint: 'Give a larger --file-size, or export fewer tables at a time.',
  });
}
