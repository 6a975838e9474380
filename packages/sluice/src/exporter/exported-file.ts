export interface ExportedFile {
  bucket: string;
  key: string;
  /** As stored. */
  bytes: number;
  /** The number of its parts; 1 for a PutObject. */
  parts: number;
  etag?: string | undefined;
}
