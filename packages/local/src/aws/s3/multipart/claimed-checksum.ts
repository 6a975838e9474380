import type { AwsRequest } from '../../http/aws-request.ts';
import {
  checksumAlgorithmNames,
  checksumAlgorithms,
  type ChecksumAlgorithm,
} from '../checksums/checksum-algorithms.ts';
import { invalidArgument } from '../s3-error.ts';

/** What the headers of CompleteMultipartUpload say about the whole object. */
export interface ClaimedChecksum {
  readonly algorithm: ChecksumAlgorithm;
  /** For a composite checksum, without the `-<parts>` at its end. */
  readonly value: string;
}

/** Reads the x-amz-checksum-* header, which here is of the object and not of the request's body. */
export function readClaimedChecksum(request: AwsRequest): ClaimedChecksum | undefined {
  const algorithm = checksumAlgorithmNames.find(
    (name) => request.header(checksumAlgorithms[name].header) !== undefined,
  );
  if (algorithm === undefined) return undefined;
  const value = request.header(checksumAlgorithms[algorithm].header) ?? '';
  return { algorithm, value: value.replace(/-\d+$/, '') };
}

/** x-amz-mp-object-size @throws S3Error InvalidArgument */
export function readClaimedSize(request: AwsRequest): number | undefined {
  const text = request.header('x-amz-mp-object-size');
  if (text === undefined) return undefined;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw invalidArgument('The x-amz-mp-object-size header must be a number', 'x-amz-mp-object-size', text);
}
