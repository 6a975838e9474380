import type { S3Connection } from '../s3/connection.ts';
import type { BufferMemory } from './buffer-memory.ts';
import { ExportFiles } from './export-files.ts';
import { FileCutter } from './file-cutter.ts';
import { type ExportLimits, validateRequest } from './export-limits.ts';
import type { ExportedFile } from './file-upload.ts';
import { PartScheduler } from './part-scheduler.ts';
import { abortFiles, publishFiles } from './publish.ts';
import type { RowFormat } from './row-format.ts';
import { createRowScanner } from './row-scanner.ts';
import { abandonSource, readSource } from './source-reader.ts';
import type { UploadJournal } from './upload-journal.ts';

/** How many parts near the limit may be kept back until it is known where the file ends. */
const WINDOW_PARTS = 2;

export interface ExportRequest {
  /**
   * What COPY writes. A chunk is copied before the next one is asked for. Its end means success: only then is anything
   * published. When it throws, nothing is published, and its error is thrown again as it is. When the export fails
   * first, its iterator's `return()` is called at once (and `destroy()`, where it has one).
   */
  source: AsyncIterable<Uint8Array>;
  connection: S3Connection;
  bucket: string;
  /** Of the first file; `_part2`, `_part3`, ... are appended for those after it. */
  key: string;
  rowFormat: RowFormat;
  contentType?: string | undefined;
  /** The KMS key to encrypt with. @default the bucket's own encryption */
  kmsKeyId?: string | undefined;
  /** A file is closed at the last row boundary at or below this size. @default 6 GiB */
  fileLimitBytes?: number | undefined;
  /** The size of the first parts; see `partSizeOf`. @default 8 MiB */
  partSizeBytes?: number | undefined;
  /** @default 8 */
  partsInFlight?: number | undefined;
  /**
   * The memory that the exports of a process share. Together they hold no more than its limit, or one part for each of
   * them, since no smaller part could be sent. @default one of its own, of 72 MiB
   */
  memory?: BufferMemory | undefined;
  journal?: UploadJournal | undefined;
  onProgress?: ((progress: ExportProgress) => void) | undefined;
  /** Ends the export, until it begins to publish; its reason is thrown. */
  signal?: AbortSignal | undefined;
}

export interface ExportProgress {
  /** Taken from the source. */
  bytesRead: number;
  /** Taken by S3. */
  bytesStored: number;
  /** Begun so far. */
  files: number;
}

export interface ExportResult {
  /** In the order of the rows. */
  files: ExportedFile[];
  bytes: number;
}

/**
 * Stores a stream of rows as one or more objects, whose concatenation is the stream. Nothing is visible in the bucket
 * before the source has ended well; then the last file is published first, and the one with the plain key last.
 *
 * @throws {UploadError} S3 refused a request or could not be reached
 * @throws {SluiceError} `invalid_argument`, `credentials_unavailable`
 * @throws the source's error or the signal's reason, as it is
 */
export async function exportToS3(request: ExportRequest): Promise<ExportResult> {
  const limits = validateOrAbandon(request);
  const { connection, signal } = request;
  const scheduler = new PartScheduler(limits);
  const files = new ExportFiles(request, limits, scheduler);
  const abort = (): void => scheduler.fail(signal?.reason);
  signal?.addEventListener('abort', abort);
  if (signal?.aborted === true) abort();
  try {
    await sendFiles(request, limits, files, scheduler);
  } catch (error) {
    scheduler.fail(error);
    await scheduler.settled();
    throw await abortFiles(files.all, error, connection.requestTimeoutMs);
  } finally {
    signal?.removeEventListener('abort', abort);
  }
  return { files: await publishFiles(files.all, connection.requestTimeoutMs), bytes: files.bytesRead };
}

/** Reads the source to its end, and sends all of it but what becomes an object in one request. */
async function sendFiles(
  { source, rowFormat }: ExportRequest,
  { fileLimitBytes, partSizeBytes }: ExportLimits,
  files: ExportFiles,
  scheduler: PartScheduler,
): Promise<void> {
  const cutter = new FileCutter(createRowScanner(rowFormat), {
    limitBytes: fileLimitBytes,
    windowBytes: WINDOW_PARTS * partSizeBytes,
  });
  for await (const chunk of readSource(source, scheduler)) {
    for (const step of cutter.push(chunk)) {
      if (step.do === 'append') await files.append(step.bytes);
      else await files.cut(step.carryBytes);
      await files.current.sendUpTo(cutter.sendableBytes);
    }
  }
  if (!files.current.fitsOneRequest) await files.current.sendRest();
  await scheduler.settled();
  scheduler.throwIfFailed();
}

function validateOrAbandon(request: ExportRequest): ExportLimits {
  try {
    return validateRequest(request);
  } catch (error) {
    abandonSource(request.source);
    throw error;
  }
}
