export interface ExportedFile {
  bucket: string;
  key: string;
  bytes: number;
  /** The number of its parts; 1 for a PutObject. */
  parts: number;
  etag?: string | undefined;
}
