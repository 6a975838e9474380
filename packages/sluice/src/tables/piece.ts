import type { Table } from './table.ts';

/** Rows that one COPY reads. Every row of a table, or of a query, is in one piece of it. */
export interface Piece {
  /** Undefined for a piece of a query. */
  table: Table | undefined;
  /** Counts the pieces of its table or query from 0, without gaps: the number of its file. */
  index: number;
  /** The query, to be put between the parentheses of `COPY (...) TO STDOUT`. */
  sql: string;
  /** On disk, TOAST included; what COPY writes may be more or less. */
  estimatedBytes: number;
  estimatedRows: number | undefined;
  /** Pages of the heap that are read; 0 where this is not known. */
  pages: number;
}

/** More files of a table than this serve nobody: `part-99999` has the largest number of five digits. */
export const MAX_PIECES = 10_000;
