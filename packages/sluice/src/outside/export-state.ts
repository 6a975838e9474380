/** How far one table, or the query, of an export is. */
export interface TableState {
  /** `schema.table`, or "query". */
  name: string;
  pieces: number;
  donePieces: number;
  /** Sessions that read it now. */
  running: number;
  /** PostgreSQL's estimate; undefined where it has none. */
  estimatedRows: number | undefined;
  /** On disk; what COPY writes may be more or less. */
  estimatedBytes: number;
  /** Of estimatedBytes: those of pieces that are done, and of pieces in work what COPY has written, up to theirs. */
  coveredBytes: number;
  rows: number;
  /** That COPY has written. */
  bytes: number;
}

/** How far an export is. */
export interface ExportState {
  phase: 'reading' | 'publishing' | 'done';
  tables: readonly Readonly<TableState>[];
  /** Bytes that S3 has taken, compressed where they are. */
  storedBytes: number;
  /** Objects that are published. */
  publishedFiles: number;
  elapsedMs: number;
}
