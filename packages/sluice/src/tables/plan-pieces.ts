import type { Client } from 'pg';
import { cutByColumn, type SplitOptions, type SplitSource, type StoredRows } from './cut-by-column.ts';
import { bytesOf, cutTable, expectPieceBytes } from './cut-table.ts';
import { estimateQuery } from './estimate-query.ts';
import type { Piece } from './piece.ts';
import { fromRelation, selectList, shownName, type Table } from './table.ts';

export interface PlanOptions extends SplitOptions {
  /** Cuts by ranges of this column, instead of ctid. Its name as it is, upper and lower case. */
  splitBy?: string | undefined;
}

/**
 * Cuts tables into pieces that are read by a COPY each: every row of the snapshot is in one of them. In the order of the
 * tables and of their piece's numbers, which makes the names of files the same each time.
 *
 * @param client in the transaction whose snapshot will be read
 * @throws SluiceError invalid_argument; errors of PostgreSQL
 */
export async function planPieces(
  client: Client,
  tables: readonly Table[],
  options: PlanOptions,
): Promise<Piece[]> {
  expectPieceBytes(options.pieceBytes);
  const pieces: Piece[] = [];
  for (const table of tables) {
    options.signal?.throwIfAborted();
    pieces.push(
      ...(options.splitBy === undefined
        ? cutTable(table, options)
        : await cutByColumn(client, await tableSource(client, table), options.splitBy, options)),
    );
  }
  return pieces;
}

/** Cuts a query: one piece, which is the query as it is, unless there is a column to split by. See planPieces. */
export async function planQueryPieces(client: Client, query: string, options: PlanOptions): Promise<Piece[]> {
  expectPieceBytes(options.pieceBytes);
  const { rows, bytes } = await estimateQuery(client, query);
  options.signal?.throwIfAborted();
  if (options.splitBy === undefined) {
    return [{ table: undefined, index: 0, sql: query, estimatedBytes: bytes, estimatedRows: rows, pages: 0 }];
  }
  const source: SplitSource = {
    name: 'the query',
    table: undefined,
    // A line of its own: the query may end with a comment.
    from: `(\n${query}\n) AS sluice_rows`,
    list: '*',
    estimatedBytes: bytes,
    estimatedRows: rows,
    stored: undefined,
  };
  return cutByColumn(client, source, options.splitBy, options);
}

async function tableSource(client: Client, table: Table): Promise<SplitSource> {
  const from = fromRelation(table);
  const list = selectList(table.columns);
  const name = `the ${table.kind} ${shownName(table)}`;
  const stored = storedRows(table);
  if (stored !== undefined) {
    const estimatedBytes = table.relations.reduce((sum, relation) => sum + bytesOf(relation), 0);
    return { name, table, from, list, estimatedBytes, estimatedRows: stored.estimatedRows, stored };
  }
  const { rows, bytes } = await estimateQuery(client, `SELECT ${list} FROM ${from}`);
  return { name, table, from, list, estimatedBytes: bytes, estimatedRows: rows, stored: undefined };
}

/** Of a partitioned table as a whole, as ANALYZE sees it, too. */
function storedRows({ oid, kind, relations }: Table): StoredRows | undefined {
  if (kind === 'view' || kind === 'foreign table') return undefined;
  const rows = relations.map(({ estimatedRows }) => estimatedRows);
  const isHeap = relations.every(({ hasTidScans }) => hasTidScans);
  return {
    oid,
    // Other access methods may not give a sample.
    sampledPages: isHeap ? relations.reduce((sum, { pages }) => sum + pages, 0) : 0,
    estimatedRows: rows.every((count) => count !== undefined)
      ? rows.reduce((sum, count) => sum + count, 0)
      : undefined,
  };
}
