import { uriEncode, uriEncodePath } from '../percent-encoding.ts';
import type { SignatureClaim } from './signature-claim.ts';
import type { SignedRequest } from './signed-request.ts';

/**
 * The canonical request that the client should have signed. Each character stands for one byte (latin1), as in
 * node:http's headers. For S3 the path is encoded once and never normalised; for other services it is encoded twice.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html#create-canonical-request
 */
export function canonicalRequest(request: SignedRequest, claim: SignatureClaim, payloadHash: string): string {
  const path = uriEncodePath(request.path);
  const headers = claim.signedHeaders.map(
    (name) => `${name}:${canonicalValue(request.headers.get(name) ?? '')}\n`,
  );
  return [
    request.method,
    claim.service === 's3' ? path : uriEncodePath(path),
    canonicalQuery(request, claim),
    headers.join(''),
    claim.signedHeaders.join(';'),
    payloadHash,
  ].join('\n');
}

function canonicalQuery(request: SignedRequest, claim: SignatureClaim): string {
  return request.query.entries
    .filter(([name]) => !(claim.from === 'presigned' && name === 'X-Amz-Signature'))
    .map(([name, value]) => [uriEncode(name), uriEncode(value)] as const)
    .toSorted(([nameA, valueA], [nameB, valueB]) => compare(nameA, nameB) || compare(valueA, valueB))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

function canonicalValue(value: string): string {
  return value.trim().replace(/ {2,}/g, ' ');
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
