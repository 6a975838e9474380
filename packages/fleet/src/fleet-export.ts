import type {
  CompressionFormat,
  ExportState,
  HeaderIn,
  IfExists,
  SluiceErrorCode,
  StorageSettings,
} from 'sluice';

/** What a fleet is asked to export. The source is a name that workers know from their own configuration. */
export interface FleetRequest extends StorageSettings {
  source: string;
  bucket: string;
  /**
   * What all keys begin with; ends with a slash. `{{date}}`, `{{time}}` and `{{id}}` stand for when the export was due, in
   * `timeZone`, and for its id.
   */
  prefix: string;
  /** IANA. @default UTC */
  timeZone?: string | undefined;
  tables?: readonly string[] | undefined;
  query?: string | undefined;
  splitBy?: string | undefined;
  copyOptions?: string | undefined;
  /** Which files begin with the header that copyOptions ask for. @default 'each' */
  headerIn?: HeaderIn | undefined;
  fileSizeBytes?: number | undefined;
  compression?: CompressionFormat | undefined;
  manifest?: boolean | undefined;
  ifExists?: IfExists | undefined;
  /** Of the bucket. @default the workers' own */
  region?: string | undefined;
  /** 1 is the first of those that wait. @default 100 */
  priority?: number | undefined;
  /** How often the export is begun anew when the worker that keeps its snapshot is lost. @default 3 */
  attempts?: number | undefined;
}

export type FleetExportState = 'waiting' | 'running' | 'done' | 'failed' | 'cancelled';

/** What a fleet knows of an export. */
export interface FleetExport {
  id: string;
  source: string;
  /** `s3://bucket/prefix`. */
  destination: string;
  /** Of the schedule that asked for it. */
  schedule: string | undefined;
  state: FleetExportState;
  /** How often it was begun. */
  attempts: number;
  /** Of the worker that keeps the snapshot: `host:pid`. */
  worker: string | undefined;
  progress: ExportState | undefined;
  result: FleetResult | undefined;
  error: FleetError | undefined;
  submittedAt: Date;
  startedAt: Date | undefined;
  endedAt: Date | undefined;
}

export interface FleetResult {
  files: number;
  rows: bigint;
  /** That COPY has written. */
  bytes: number;
  /** That S3 has stored. */
  storedBytes: number;
  manifestUrl: string | undefined;
}

export interface FleetError {
  /** Undefined for PostgreSQL's own errors. */
  code: SluiceErrorCode | undefined;
  message: string;
  detail: string | undefined;
  hint: string | undefined;
}
