import { S3Error } from './s3-error.ts';

export interface ByteRange {
  readonly offsetBytes: number;
  readonly sizeBytes: number;
}

/**
 * The part of an object that a Range header asks for. Undefined for the whole object: without the header, and for
 * headers that HTTP requires to be ignored (another unit, several ranges, not readable).
 * @throws S3Error InvalidRange when it begins after the end of the object
 */
export function parseByteRange(header: string | undefined, objectSizeBytes: number): ByteRange | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? '');
  if (header === undefined || match === null) return undefined;
  const [, firstText = '', lastText = ''] = match;
  if (firstText === '' && lastText === '') return undefined;
  if (firstText === '') {
    const sizeBytes = Math.min(Number(lastText), objectSizeBytes);
    if (sizeBytes === 0) throw invalidRange(header, objectSizeBytes);
    return { offsetBytes: objectSizeBytes - sizeBytes, sizeBytes };
  }
  const first = Number(firstText);
  const last = lastText === '' ? objectSizeBytes - 1 : Math.min(Number(lastText), objectSizeBytes - 1);
  if (lastText !== '' && Number(lastText) < first) return undefined;
  if (first >= objectSizeBytes) throw invalidRange(header, objectSizeBytes);
  return { offsetBytes: first, sizeBytes: last - first + 1 };
}

/** `bytes 0-9/100` */
export function contentRange(range: ByteRange, objectSizeBytes: number): string {
  return `bytes ${range.offsetBytes}-${range.offsetBytes + range.sizeBytes - 1}/${objectSizeBytes}`;
}

function invalidRange(header: string, objectSizeBytes: number): S3Error {
  return new S3Error('InvalidRange', 'The requested range is not satisfiable', {
    details: { RangeRequested: header, ActualObjectSize: String(objectSizeBytes) },
    headers: { 'content-range': `bytes */${objectSizeBytes}` },
  });
}
