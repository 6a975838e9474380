import type { Denial, PolicyType } from './evaluate.ts';
import { principalName, type RequestPrincipal } from './request-principal.ts';

const EXPLICITLY_IN: Record<PolicyType, string> = {
  identity: 'an identity-based policy',
  boundary: 'a permissions boundary',
  session: 'a session policy',
  resource: 'a resource-based policy',
  trust: 'the role trust policy',
};

const NONE_ALLOWS: Record<PolicyType, string> = {
  identity: 'no identity-based policy',
  boundary: 'no permissions boundary',
  session: 'no session policy',
  resource: 'no resource-based policy',
  trust: 'no role trust policy',
};

/** What was asked for; the resource `*` is not mentioned. */
interface DeniedRequest {
  readonly principal: RequestPrincipal;
  readonly action: string;
  readonly resource: string;
}

/**
 * AWS's message of an AccessDenied error. S3 puts the resource in quotes, the others do not.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
 *
 * @param reason how it ends; by default that no identity-based policy allows the action
 */
export function accessDeniedMessage(
  { principal, action, resource }: DeniedRequest,
  reason = denialReason(action, { decision: 'implicitDeny', policyType: 'identity' }),
): string {
  const named = action.toLowerCase().startsWith('s3:') ? `"${resource}"` : resource;
  const onResource = resource === '*' ? '' : ` on resource: ${named}`;
  return `User: ${principalName(principal)} is not authorized to perform: ${action}${onResource} ${reason}`;
}

/** How the message ends. @example 'because no identity-based policy allows the s3:PutObject action' */
export function denialReason(action: string, denial: Denial): string {
  switch (denial.decision) {
    case 'explicitDeny':
      return `with an explicit deny in ${EXPLICITLY_IN[denial.statement.policyType]}`;
    case 'implicitDeny':
      return `because ${NONE_ALLOWS[denial.policyType]} allows the ${action} action`;
    default:
      return denial satisfies never;
  }
}
