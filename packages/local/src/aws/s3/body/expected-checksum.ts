import type { AwsRequest } from '../../http/aws-request.ts';
import {
  checksumAlgorithmOfHeader,
  checksumAlgorithms,
  isChecksumValue,
  type ChecksumAlgorithm,
} from '../checksums/checksum-algorithms.ts';
import { S3Error } from '../s3-error.ts';
import { malformedTrailer } from './aws-chunked-decoder.ts';

/** A checksum that the client announces. Its value is in a header, or follows in a trailer. */
export interface AnnouncedChecksum {
  readonly algorithm: ChecksumAlgorithm;
  /** Undefined while it is to come in a trailer. */
  readonly value: string | undefined;
}

/** Headers with the prefix of checksums that do not contain a checksum. */
const NOT_VALUES = new Set(['x-amz-checksum-algorithm', 'x-amz-checksum-mode', 'x-amz-checksum-type']);

/** Reads x-amz-checksum-*, x-amz-trailer and x-amz-sdk-checksum-algorithm. At most one checksum may be given. */
export function readAnnouncedChecksum(request: AwsRequest): AnnouncedChecksum | undefined {
  const inHeaders = request.headers
    .names()
    .filter((name) => name.startsWith('x-amz-checksum-') && !NOT_VALUES.has(name))
    .map((name): AnnouncedChecksum => {
      const algorithm = checksumAlgorithmOfHeader(name);
      if (algorithm === undefined)
        throw new S3Error('InvalidRequest', `The ${name} header is not supported.`);
      return { algorithm, value: checkForm(algorithm, request.header(name) ?? '') };
    });
  const inTrailers = trailerNames(request).map((name): AnnouncedChecksum => {
    const algorithm = checksumAlgorithmOfHeader(name);
    if (algorithm === undefined) {
      throw new S3Error('InvalidRequest', 'The value specified in the x-amz-trailer header is not supported');
    }
    return { algorithm, value: undefined };
  });
  const announced = [...inHeaders, ...inTrailers];
  if (announced.length > 1) {
    throw new S3Error(
      'InvalidRequest',
      'Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.',
    );
  }
  checkSdkAlgorithm(request, announced[0]);
  return announced[0];
}

/** The value that a trailer brought. */
export function readTrailingChecksum(
  announced: AnnouncedChecksum,
  trailers: ReadonlyMap<string, string>,
): string {
  const value = trailers.get(checksumAlgorithms[announced.algorithm].header);
  if (value === undefined) throw malformedTrailer();
  return checkForm(announced.algorithm, value);
}

function trailerNames(request: AwsRequest): string[] {
  return (request.header('x-amz-trailer') ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '');
}

function checkForm(algorithm: ChecksumAlgorithm, value: string): string {
  if (isChecksumValue(algorithm, value)) return value;
  throw new S3Error('InvalidRequest', `Value for ${checksumAlgorithms[algorithm].header} header is invalid.`);
}

function checkSdkAlgorithm(request: AwsRequest, announced: AnnouncedChecksum | undefined): void {
  const named = request.header('x-amz-sdk-checksum-algorithm');
  if (named === undefined || named.toUpperCase() === announced?.algorithm) return;
  throw announced === undefined
    ? new S3Error(
        'InvalidRequest',
        'x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer headers were found.',
      )
    : new S3Error('InvalidRequest', 'Value for x-amz-sdk-checksum-algorithm header is invalid.');
}
