import type { SentFileData } from '../exporter/sent-file.ts';

/** A part of an export that one COPY reads, as plain data: whoever has the snapshot and the bucket can do it. */
export interface PieceJob {
  /** Its place among the pieces of the export, from 0. */
  id: number;
  /** Which of the export's tables it is of. */
  table: number;
  /** The COPY statement. */
  sql: string;
  /** What it writes begins with a line that is no row. */
  hasHeaderLine: boolean;
  /** Of the object that it becomes. */
  key: string;
  estimatedBytes: number;
}

/** What became of a piece: its file is at S3, and is not published. */
export interface PieceResult {
  id: number;
  rows: bigint;
  /** That COPY wrote. */
  bytes: number;
  files: SentFileData[];
}
