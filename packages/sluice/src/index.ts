/**
 * Sluice as a library: exports tables (`exportTables`) and the results of queries (`exportQuery`) over connections to a
 * database, and uploads the rows of a COPY from any source to Amazon S3, as the agent does (`exportToS3`).
 *
 * @example
 * ```ts
 * const connection = new S3Connection({ region: 'us-west-2', credentials: fromNodeProviderChain() });
 * const result = await exportToS3({
 *   source: client.query(copyTo('COPY (SELECT * FROM t) TO STDOUT')),
 *   connection,
 *   bucket: 'sample-bucket',
 *   key: 'sample-filepath',
 *   rowFormat: { format: 'text', header: false },
 * });
 * ```
 */
export type { CompressionFormat } from './compression/compression.ts';
export { SluiceError, isSluiceError, type SluiceErrorCode, type SluiceErrorOptions } from './errors.ts';
export { BufferMemory } from './exporter/buffer-memory.ts';
export type { ExportProgress, ExportRequest, ExportResult } from './exporter/export-request.ts';
export { exportToS3 } from './exporter/export-to-s3.ts';
export type { ExportedFile } from './exporter/exported-file.ts';
export { PublishedKeys } from './exporter/published-keys.ts';
export type { PublishedObject } from './exporter/published-object.ts';
export type { BinaryRowFormat, CsvRowFormat, RowFormat, TextRowFormat } from './exporter/row-format.ts';
export type { UploadJournal } from './exporter/upload-journal.ts';
export type { IfExists } from './outside/destination.ts';
export type { ExportState, TableState } from './outside/export-state.ts';
export { exportTables } from './outside/export-tables.ts';
export type { ExportTablesRequest, ExportTablesResult } from './outside/export-tables-request.ts';
export type { HeaderIn } from './outside/piece-copy.ts';
export type { Manifest } from './outside/manifest.ts';
export { connectTo, type ConnectOptions } from './source/connect.ts';
export {
  exportQuery,
  type ExportQueryProgress,
  type ExportQueryRequest,
  type ExportQueryResult,
} from './source/export-query.ts';
export { SourceClient } from './source/source-client.ts';
export { installExtension } from './install/install-extension.ts';
export {
  S3Connection,
  type S3ConnectionOptions,
  type S3Credentials,
  type S3CredentialsProvider,
} from './s3/connection.ts';
export type { ErrorWords } from './s3/error-words.ts';
export { abortMultipartUpload, type MultipartUpload, type OpeningAttempt } from './s3/multipart-upload.ts';
export type { StorageSettings } from './s3/object-settings.ts';
export { UploadError } from './s3/upload-error.ts';
