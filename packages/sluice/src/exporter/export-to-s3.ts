import { createRowScanner } from './create-row-scanner.ts';
import { ExportFiles } from './export-files.ts';
import { type ExportLimits, validateRequest } from './export-limits.ts';
import type { ExportRequest, ExportResult } from './export-request.ts';
import { FileCutter } from './file-cutter.ts';
import { PartScheduler } from './part-scheduler.ts';
import { publishFiles, undoFiles } from './publish.ts';
import type { SentFileData } from './sent-file.ts';
import { abandonSource, readSource } from './source-reader.ts';

/** How much near the file limit is kept in memory, in parts, until it is known where the file ends. */
const WINDOW_PARTS = 2;

/**
 * Stores a stream of rows as one or more objects, whose concatenation is the stream; with `compression`, the
 * concatenation of what they decompress to. Nothing is visible in the bucket before the source has ended without error.
 * Then the last file is published first, and the one with the plain key last.
 *
 * @throws {UploadError} S3 refused a request or could not be reached
 * @throws {SluiceError} `invalid_argument`, `not_supported`, `credentials_unavailable`
 * @throws the source's error or the signal's reason, unchanged
 */
export async function exportToS3(request: ExportRequest): Promise<ExportResult> {
  const { journal, confirm, signal } = request;
  const files = await sendFiles(request);
  const undoTimeoutMs = undoTimeoutOf(request);
  const published = await publishFiles(files.all, { journal, confirm, signal, undoTimeoutMs });
  const bytes = published.reduce((sum, file) => sum + file.bytes, 0);
  return { files: published, bytes, sourceBytes: files.bytesRead };
}

/**
 * Sends a stream of rows as `exportToS3` does, and leaves it to somebody else to publish the files, as `SentFile`: their
 * multipart uploads are open then. Errors as `exportToS3`; then no upload is left.
 */
export async function sendToS3(
  request: Omit<ExportRequest, 'confirm'>,
): Promise<{ files: SentFileData[]; sourceBytes: number }> {
  const files = await sendFiles(request, { keepsSmallFile: false });
  return { files: await Promise.all(files.all.map((file) => file.handOver())), sourceBytes: files.bytesRead };
}

/** @param options.keepsSmallFile what becomes an object in one request is not sent yet, but stays in memory */
async function sendFiles(
  request: ExportRequest,
  { keepsSmallFile = true }: { keepsSmallFile?: boolean } = {},
): Promise<ExportFiles> {
  const limits = validateOrAbandon(request);
  const { journal, signal } = request;
  const scheduler = new PartScheduler(limits);
  const files = new ExportFiles(request, limits, scheduler);
  const abort = (): void => scheduler.fail(signal?.reason);
  signal?.addEventListener('abort', abort);
  if (signal?.aborted === true) abort();
  try {
    await readRows(request, limits, files, scheduler);
    await files.end({ keepsOnePart: keepsSmallFile });
    await scheduler.settled();
    scheduler.throwIfFailed();
    return files;
  } catch (error) {
    scheduler.fail(error);
    await scheduler.settled();
    await files.discard();
    throw await undoFiles(files.all, error, { journal, undoTimeoutMs: undoTimeoutOf(request) });
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}

function undoTimeoutOf({ connection }: ExportRequest): number {
  return connection.requestTimeoutMs;
}

/** Reads the source to its end, and sends full parts. */
async function readRows(
  { source, rowFormat }: ExportRequest,
  { fileLimitBytes, partSizeBytes }: ExportLimits,
  files: ExportFiles,
  scheduler: PartScheduler,
): Promise<void> {
  const cutter = new FileCutter('format' in rowFormat ? createRowScanner(rowFormat) : rowFormat, {
    limitBytes: fileLimitBytes,
    windowBytes: WINDOW_PARTS * partSizeBytes,
  });
  for await (const chunk of readSource(source, scheduler)) {
    for (const step of cutter.push(chunk)) {
      if (step.do === 'append') await files.append(step.bytes);
      else await files.cut(step.carryBytes);
      await files.sendUpTo(cutter.sendableBytes);
    }
  }
}

function validateOrAbandon(request: ExportRequest): ExportLimits {
  try {
    return validateRequest(request);
  } catch (error) {
    abandonSource(request.source);
    throw error;
  }
}
