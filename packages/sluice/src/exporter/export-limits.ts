import { type Compression, validateCompression } from '../compression/compression.ts';
import { SluiceError } from '../errors.ts';
import { validateObjectSettings } from '../s3/object-settings.ts';
import { validateS3Uri } from '../s3/s3-uri.ts';
import type { ExportRequest } from './export-request.ts';
import { GIB, LARGEST_OBJECT_BYTES, LARGEST_PART_BYTES, MIB, SMALLEST_PART_BYTES } from './part-size.ts';

const DEFAULT_FILE_LIMIT_BYTES = 6 * GIB;
const DEFAULT_PART_SIZE_BYTES = 8 * MIB;
const DEFAULT_PARTS_IN_FLIGHT = 8;

export interface ExportLimits {
  fileLimitBytes: number;
  partSizeBytes: number;
  partsInFlight: number;
  compression: Compression | undefined;
}

/** @throws {SluiceError} `invalid_argument`, `not_supported` */
export function validateRequest(request: ExportRequest): ExportLimits {
  validateS3Uri(request);
  validateObjectSettings(request);
  const {
    fileLimitBytes = DEFAULT_FILE_LIMIT_BYTES,
    partSizeBytes = DEFAULT_PART_SIZE_BYTES,
    partsInFlight = DEFAULT_PARTS_IN_FLIGHT,
  } = request;
  requireBetween('the file size limit', fileLimitBytes, 1, LARGEST_OBJECT_BYTES);
  // Checked here because S3 refuses a part that is too small only at CompleteMultipartUpload.
  requireBetween('the part size', partSizeBytes, SMALLEST_PART_BYTES, LARGEST_PART_BYTES);
  requireBetween('the number of parts in flight', partsInFlight, 1, 1_000);
  return { fileLimitBytes, partSizeBytes, partsInFlight, compression: compressionOf(request) };
}

function compressionOf({ compression, compressionLevel }: ExportRequest): Compression | undefined {
  if (compression !== undefined) return validateCompression(compression, compressionLevel);
  if (compressionLevel === undefined) return undefined;
  throw new SluiceError('invalid_argument', 'a compression level needs a compression');
}

function requireBetween(name: string, value: number, least: number, most: number): void {
  if (Number.isSafeInteger(value) && value >= least && value <= most) return;
  throw new SluiceError('invalid_argument', `${name} cannot be ${value}`, {
    detail: `It is a whole number from ${least} to ${most}.`,
  });
}
