import type { ConditionKeys, VerifiedSignature } from '../identity.ts';
import { globalConditionKeys } from '../global-condition-keys.ts';
import type { AwsRequest } from '../http/aws-request.ts';
import { parseTagging } from './tagging.ts';

/** Condition keys that stand for a query parameter or a header of the same meaning. */
const FROM_QUERY = {
  's3:prefix': 'prefix',
  's3:delimiter': 'delimiter',
  's3:max-keys': 'max-keys',
  's3:VersionId': 'versionId',
};
const FROM_HEADERS = [
  'if-match',
  'if-none-match',
  'x-amz-acl',
  'x-amz-content-sha256',
  'x-amz-copy-source',
  'x-amz-grant-full-control',
  'x-amz-grant-read',
  'x-amz-grant-read-acp',
  'x-amz-grant-write',
  'x-amz-grant-write-acp',
  'x-amz-metadata-directive',
  'x-amz-server-side-encryption',
  'x-amz-server-side-encryption-aws-kms-key-id',
  'x-amz-server-side-encryption-customer-algorithm',
  'x-amz-storage-class',
  'x-amz-website-redirect-location',
];

export interface S3Facts {
  readonly accountId: string;
  /**
   * For the requests of a multipart upload: the headers of CreateMultipartUpload. The requests for its parts do not
   * repeat them, and a policy that requires encryption must not deny those requests.
   */
  readonly uploadHeaders?: Readonly<Record<string, string>> | undefined;
}

/**
 * The values that policies may compare.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html#amazons3-policy-keys
 */
export function conditionKeys(
  request: AwsRequest,
  verified: VerifiedSignature,
  { accountId, uploadHeaders = {} }: S3Facts,
): ConditionKeys {
  const { claim } = verified;
  const keys = globalConditionKeys(request, verified)
    .set('aws:ResourceAccount', accountId)
    .set('s3:ResourceAccount', accountId)
    .set('s3:authType', claim.from === 'header' ? 'REST-HEADER' : 'REST-QUERY-STRING')
    .set('s3:signatureAge', String(Date.now() - claim.signedAt.getTime()))
    .set('s3:signatureversion', 'AWS4-HMAC-SHA256');
  for (const [key, parameter] of Object.entries(FROM_QUERY)) {
    const value = request.query.get(parameter);
    if (value !== undefined) keys.set(key, value);
  }
  for (const header of FROM_HEADERS) {
    const value = request.header(header) ?? uploadHeaders[header];
    if (value !== undefined) keys.set(`s3:${header}`, value);
  }
  const tags = parseTagging(request.header('x-amz-tagging') ?? '');
  if (tags.length > 0) {
    keys.set(
      's3:RequestObjectTagKeys',
      tags.map(([key]) => key),
    );
    for (const [key, value] of tags) keys.set(`s3:RequestObjectTag/${key}`, value);
  }
  return keys;
}
