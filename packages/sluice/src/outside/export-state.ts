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
  /** Of COPY's output. */
  estimatedBytes: number;
  rows: number;
  /** That COPY has written. */
  bytes: number;
}

/** How far an export is. */
export interface ExportState {
  phase: 'planning' | 'reading' | 'publishing' | 'done';
  tables: readonly Readonly<TableState>[];
  /** Bytes that S3 has taken, compressed where they are. */
  storedBytes: number;
  /** Objects that are published. */
  publishedFiles: number;
  elapsedMs: number;
}
