import type { AwsRequest } from './http/aws-request.ts';
import type { VerifiedSignature } from './identity.ts';

/**
 * The condition keys that a request to any service has. The policy engine adds those of the principal.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
 */
export function globalConditionKeys(
  request: AwsRequest,
  { claim, credentials }: VerifiedSignature,
  now = new Date(),
): Map<string, string | readonly string[]> {
  const keys = new Map<string, string | readonly string[]>([
    ['aws:CurrentTime', now.toISOString()],
    ['aws:EpochTime', String(Math.floor(now.getTime() / 1000))],
    ['aws:RequestedRegion', claim.region],
    ['aws:SecureTransport', 'false'],
    ['aws:ViaAWSService', 'false'],
    ...(credentials.conditions ?? []),
  ]);
  // Requests with long-term keys do not have this condition key, so policies must test it with BoolIfExists.
  if (credentials.sessionToken !== undefined) keys.set('aws:MultiFactorAuthPresent', 'false');
  const optional = {
    'aws:SourceIp': request.incoming.socket.remoteAddress?.replace(/^::ffff:/, ''),
    'aws:UserAgent': request.header('user-agent'),
    'aws:Referer': request.header('referer'),
  };
  for (const [key, value] of Object.entries(optional)) {
    if (value !== undefined) keys.set(key, value);
  }
  return keys;
}
