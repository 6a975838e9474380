import { createRowScanner } from './create-row-scanner.ts';
import { ExportFiles } from './export-files.ts';
import { type ExportLimits, validateRequest } from './export-limits.ts';
import type { ExportRequest, ExportResult } from './export-request.ts';
import { FileCutter } from './file-cutter.ts';
import { PartScheduler } from './part-scheduler.ts';
import { publishFiles, undoFiles } from './publish.ts';
import { abandonSource, readSource } from './source-reader.ts';

/** How many parts near the limit may be kept back until it is known where the file ends. */
const WINDOW_PARTS = 2;

/**
 * Stores a stream of rows as one or more objects, whose concatenation is the stream (with `compression`, the
 * concatenation of what they decompress to). Nothing is visible in the bucket
 * before the source has ended well; then the last file is published first, and the one with the plain key last.
 *
 * @throws {UploadError} S3 refused a request or could not be reached
 * @throws {SluiceError} `invalid_argument`, `not_supported`, `credentials_unavailable`
 * @throws the source's error or the signal's reason, as it is
 */
export async function exportToS3(request: ExportRequest): Promise<ExportResult> {
  const limits = validateOrAbandon(request);
  const { connection, journal, confirm, signal } = request;
  const undoTimeoutMs = connection.requestTimeoutMs;
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
    await files.discard();
    throw await undoFiles(files.all, error, { journal, undoTimeoutMs });
  } finally {
    signal?.removeEventListener('abort', abort);
  }
  const published = await publishFiles(files.all, { journal, confirm, signal, undoTimeoutMs });
  return { files: published, bytes: published.reduce((sum, { bytes }) => sum + bytes, 0) };
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
      await files.sendUpTo(cutter.sendableBytes);
    }
  }
  await files.end();
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
