import type { AwsRequest } from '../http/aws-request.ts';
import type { SignatureClaim } from '../sigv4/signature-claim.ts';

/** Condition keys that stand for a query parameter or a header of the same meaning. */
const FROM_QUERY = { 's3:prefix': 'prefix', 's3:delimiter': 'delimiter', 's3:max-keys': 'max-keys' };
const FROM_HEADERS = [
  'x-amz-acl',
  'x-amz-content-sha256',
  'x-amz-copy-source',
  'x-amz-metadata-directive',
  'x-amz-server-side-encryption',
  'x-amz-server-side-encryption-aws-kms-key-id',
  'x-amz-storage-class',
];

/**
 * The values that policies may compare.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html#amazons3-policy-keys
 */
export function conditionKeys(
  request: AwsRequest,
  claim: SignatureClaim,
  now = new Date(),
): ReadonlyMap<string, string> {
  const keys = new Map<string, string>([
    ['aws:CurrentTime', now.toISOString()],
    ['aws:EpochTime', String(Math.floor(now.getTime() / 1000))],
    ['aws:RequestedRegion', claim.region],
    ['aws:SecureTransport', 'false'],
    ['s3:authType', claim.from === 'header' ? 'REST-HEADER' : 'REST-QUERY-STRING'],
    ['s3:signatureAge', String(now.getTime() - claim.signedAt.getTime())],
    ['s3:signatureversion', 'AWS4-HMAC-SHA256'],
  ]);
  const add = (key: string, value: string | undefined) => {
    if (value !== undefined) keys.set(key, value);
  };
  add('aws:SourceIp', request.incoming.socket.remoteAddress?.replace(/^::ffff:/, ''));
  add('aws:UserAgent', request.header('user-agent'));
  add('aws:Referer', request.header('referer'));
  for (const [key, parameter] of Object.entries(FROM_QUERY)) add(key, request.query.get(parameter));
  for (const header of FROM_HEADERS) add(`s3:${header}`, request.header(header));
  return keys;
}
