import type { AwsRequest } from '../../http/aws-request.ts';
import { S3Error, invalidArgument } from '../s3-error.ts';

const MOST_ENTRIES = 1000;

/** @throws S3Error InvalidArgument */
export function readMaxKeys(request: AwsRequest, name = 'max-keys', most = MOST_ENTRIES): number {
  const text = request.query.get(name);
  if (text === undefined || text === '') return most;
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (value <= 2_147_483_647) return Math.min(value, most);
  throw invalidArgument(`Argument ${name} must be an integer between 0 and 2147483647`, name, text);
}

/** How the answer writes keys: unchanged, or URL-encoded (encoding-type=url). */
export type KeyEncoder = (key: string) => string;

/** @throws S3Error InvalidArgument */
export function readKeyEncoder(request: AwsRequest): KeyEncoder {
  const type = request.query.get('encoding-type');
  if (type === undefined || type === '') return (key) => key;
  if (type === 'url') return encodeKey;
  throw invalidArgument('Invalid Encoding Method specified in Request', 'encoding-type', type);
}

/** Opaque to clients. */
export function encodeContinuationToken(marker: string): string {
  return Buffer.from(marker).toString('base64url');
}

/** @throws S3Error InvalidArgument */
export function decodeContinuationToken(token: string): string {
  const marker = Buffer.from(token, 'base64url').toString();
  if (marker !== '' && encodeContinuationToken(marker) === token) return marker;
  throw new S3Error('InvalidArgument', 'The continuation token provided is incorrect', {
    details: { ArgumentName: 'continuation-token' },
  });
}

/** URL-encodes a key like a form (a space becomes `+`), but keeps slashes and asterisks. */
function encodeKey(key: string): string {
  return encodeURIComponent(key)
    .replace(/[!'()]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll('%2F', '/')
    .replaceAll('%20', '+');
}
