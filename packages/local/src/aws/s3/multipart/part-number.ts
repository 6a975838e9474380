import type { AwsRequest } from '../../http/aws-request.ts';
import { MOST_PARTS } from '../limits.ts';
import { invalidArgument } from '../s3-error.ts';

/** The partNumber of the query. @throws S3Error InvalidArgument */
export function readPartNumber(request: AwsRequest): number {
  const text = request.query.get('partNumber') ?? '';
  const partNumber = parsePartNumber(text);
  if (partNumber !== undefined) return partNumber;
  throw invalidArgument(
    `Part number must be an integer between 1 and ${MOST_PARTS}, inclusive`,
    'partNumber',
    text,
  );
}

export function parsePartNumber(text: string): number | undefined {
  const partNumber = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return partNumber >= 1 && partNumber <= MOST_PARTS ? partNumber : undefined;
}
