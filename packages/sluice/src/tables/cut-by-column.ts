import { type Client, escapeLiteral } from 'pg';
import { chooseBounds } from './choose-bounds.ts';
import { analyzedValues, sampledValues, type ColumnValues } from './column-values.ts';
import { MAX_PIECES, type Piece } from './piece.ts';
import { splitColumn, type RowSource, type SplitColumn } from './split-column.ts';
import type { Table } from './table.ts';

export interface SplitOptions {
  /** About how many bytes a piece shall have. */
  pieceBytes: number;
  /** At least so many pieces, as far as the column has as many values: estimates of a query may be far off. @default 1 */
  minPieces?: number | undefined;
  signal?: AbortSignal | undefined;
}

/** Rows of a table, of which ANALYZE keeps statistics. */
export interface StoredRows {
  oid: number;
  estimatedRows: number | undefined;
  /** Pages that a sample can be taken of; 0 when all has to be read. */
  sampledPages: number;
}

/** Rows to cut, and what is known of them. */
export interface SplitSource extends RowSource {
  table: Table | undefined;
  /** What is selected from it. */
  list: string;
  estimatedBytes: number;
  estimatedRows: number | undefined;
  /** Undefined for a query, a view, a foreign table. */
  stored: StoredRows | undefined;
}

/** So many values for each bound make the pieces about equal. */
const VALUES_A_PIECE = 50;
const MIN_SAMPLE = 10_000;
const MAX_SAMPLE = 200_000;
/** Statistics with so many values for each bound are good enough. */
const ENOUGH_VALUES_A_PIECE = 3;
/** A sample of a table's pages has at least so many of them. */
const MIN_SAMPLED_PAGES = 2_000;

/**
 * Cuts rows by ranges of a column, each with its first value and without its last; the first and the last range are open,
 * and NULLs have a piece of their own, or go with the last one when none were seen. Whatever the bounds, each row is in
 * one piece, provided that a query gives the same rows each time on one snapshot.
 *
 * The bounds are values of the column by ANALYZE's statistics of a table, or else by a sample, for which a query is run
 * once as a whole. So a column that is skewed makes no empty ranges, and one that has few values few pieces.
 *
 * @throws SluiceError invalid_argument
 */
export async function cutByColumn(
  client: Client,
  source: SplitSource,
  columnName: string,
  options: SplitOptions,
): Promise<Piece[]> {
  const { pieceBytes, minPieces = 1, signal } = options;
  const column = await splitColumn(client, source, columnName);
  signal?.throwIfAborted();
  const wanted = Math.max(minPieces, Math.ceil(source.estimatedBytes / pieceBytes), 1);
  const count = Math.min(wanted, MAX_PIECES);
  const spread = count === 1 ? { values: [], nulls: 0 } : await valuesOf(client, source, column, count);
  signal?.throwIfAborted();
  return piecesOf(source, column, spread, chooseBounds(spread.values, count));
}

async function valuesOf(
  client: Client,
  source: SplitSource,
  column: SplitColumn,
  count: number,
): Promise<ColumnValues> {
  const { stored } = source;
  if (stored !== undefined) {
    const analyzed = await analyzedValues(client, stored, column);
    if (analyzed !== undefined && analyzed.values.length >= ENOUGH_VALUES_A_PIECE * count) return analyzed;
  }
  const sampleSize = Math.min(Math.max(count * VALUES_A_PIECE, MIN_SAMPLE), MAX_SAMPLE);
  return sampledValues(client, { ...source, from: sampledFrom(source, sampleSize) }, column, sampleSize);
}

/** A table may be sampled by some of its pages, instead of reading them all. */
function sampledFrom({ from, stored }: SplitSource, sampleSize: number): string {
  if (stored === undefined || stored.sampledPages === 0) return from;
  const rowsAPage = Math.max(1, (stored.estimatedRows ?? 0) / stored.sampledPages);
  const pages = Math.max(MIN_SAMPLED_PAGES, (3 * sampleSize) / rowsAPage);
  return pages >= stored.sampledPages
    ? from
    : `${from} TABLESAMPLE SYSTEM (${((100 * pages) / stored.sampledPages).toFixed(6)})`;
}

interface Range {
  where: string | undefined;
  /** Of the rows. */
  part: number;
}

function piecesOf(
  source: SplitSource,
  column: SplitColumn,
  spread: ColumnValues,
  bounds: readonly string[],
): Piece[] {
  return rangesOf(column, spread, bounds).map(({ where, part }, index) => ({
    table: source.table,
    index,
    sql: `SELECT ${source.list} FROM ${source.from}${where === undefined ? '' : ` WHERE ${where}`}`,
    estimatedBytes: Math.round(source.estimatedBytes * part),
    estimatedRows: source.estimatedRows === undefined ? undefined : Math.round(source.estimatedRows * part),
    pages: 0,
  }));
}

function rangesOf(column: SplitColumn, { values, nulls }: ColumnValues, bounds: readonly string[]): Range[] {
  if (bounds.length === 0 && nulls === 0) return [{ where: undefined, part: 1 }];
  const literals = bounds.map((value) => `${escapeLiteral(value).trimStart()}::${column.type}`);
  const parts = partsOf(values, bounds);
  const ranges = parts.map((part, i) => {
    const from = literals[i - 1];
    const to = literals[i];
    const conditions = [
      ...(from === undefined ? [] : [`${column.sql} OPERATOR(pg_catalog.>=) ${from}`]),
      ...(to === undefined ? [] : [`${column.sql} OPERATOR(pg_catalog.<) ${to}`]),
    ];
    const isLast = to === undefined;
    if (conditions.length === 0) conditions.push(`${column.sql} IS NOT NULL`);
    const where = conditions.join(' AND ');
    return { where: isLast && nulls === 0 ? `(${where} OR ${column.sql} IS NULL)` : where, part };
  });
  return nulls === 0 ? ranges : [...ranges, { where: `${column.sql} IS NULL`, part: nulls }];
}

/** What part of the rows each range has. */
function partsOf(values: ColumnValues['values'], bounds: readonly string[]): number[] {
  const parts = [0];
  let next = 0;
  for (const { value, before, at } of values) {
    parts[next] = (parts[next] ?? 0) + before;
    if (value === bounds[next]) {
      next += 1;
      parts[next] = 0;
    }
    parts[next] = (parts[next] ?? 0) + at;
  }
  return parts;
}
