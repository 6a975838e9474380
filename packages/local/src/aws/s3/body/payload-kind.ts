import type { AwsRequest } from '../../http/aws-request.ts';
import { S3Error, invalidArgument } from '../s3-error.ts';

/** How the body of a request is protected, as x-amz-content-sha256 says. */
export type PayloadKind =
  | { readonly kind: 'unsigned' }
  | { readonly kind: 'sha256'; readonly hex: string }
  /** In the aws-chunked encoding. */
  | { readonly kind: 'chunked'; readonly signed: boolean; readonly trailers: boolean };

const WORDS: ReadonlyMap<string, PayloadKind> = new Map(
  Object.entries<PayloadKind>({
    'UNSIGNED-PAYLOAD': { kind: 'unsigned' },
    'STREAMING-UNSIGNED-PAYLOAD-TRAILER': { kind: 'chunked', signed: false, trailers: true },
    'STREAMING-AWS4-HMAC-SHA256-PAYLOAD': { kind: 'chunked', signed: true, trailers: false },
    'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER': { kind: 'chunked', signed: true, trailers: true },
  }),
);

/** The value that stands at the end of the canonical request. */
export function readPayloadHash(request: AwsRequest, from: 'header' | 'presigned'): string {
  const header = request.header('x-amz-content-sha256');
  if (from === 'presigned') return request.query.get('X-Amz-Content-Sha256') ?? header ?? 'UNSIGNED-PAYLOAD';
  if (header !== undefined) return header;
  throw new S3Error('InvalidRequest', 'Missing required header for this request: x-amz-content-sha256');
}

export function parsePayloadKind(payloadHash: string): PayloadKind {
  const word = WORDS.get(payloadHash);
  if (word !== undefined) return word;
  if (/^[0-9a-f]{64}$/.test(payloadHash)) return { kind: 'sha256', hex: payloadHash };
  throw invalidArgument(
    'x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value.',
    'x-amz-content-sha256',
    payloadHash,
  );
}
