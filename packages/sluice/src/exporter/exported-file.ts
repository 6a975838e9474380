export interface ExportedFile {
  bucket: string;
  key: string;
  /** As stored. */
  bytes: number;
  /** How many parts it was uploaded in; 1 for a PutObject. */
  parts: number;
  etag?: string | undefined;
}
