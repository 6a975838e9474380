import type { PrincipalPattern, Statement } from '../policy.ts';
import { type RequestPrincipal, rootArn } from '../request-principal.ts';

/**
 * How a statement names the principal of a request. The effect of an Allow depends on it.
 * - `direct`: the user, the role session, the service, or everybody.
 * - `role`: the role of a role session. Its permissions boundary and session policy still limit it.
 * - `account`: the whole account. The principal then needs an Allow in its own identity policies, too.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
 */
export type PrincipalMatch = 'direct' | 'role' | 'account';

/** Undefined when the statement does not apply to this principal. */
export function matchPrincipals(
  { principals, effect }: Statement,
  requester: RequestPrincipal,
): PrincipalMatch | undefined {
  // A statement in an identity policy applies to the identity that the policy is attached to.
  if (principals === undefined) return 'direct';
  const matches = new Set(principals.values.map((pattern) => matchPrincipal(pattern, requester)));
  if (!principals.negated) {
    return (['direct', 'role', 'account'] as const).find((match) => matches.has(match));
  }
  const spared =
    effect === 'Allow'
      ? [...matches].some((match) => match !== undefined)
      : isSpared(principals.values, matches, requester);
  return spared ? undefined : 'direct';
}

/**
 * Whether a Deny with NotPrincipal does not apply. AWS compares the account, the role of a session, and the session or
 * user separately. So a user is exempt only if its account is named as well, and a session only if at least its role
 * and its account are named.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html
 */
function isSpared(
  patterns: readonly PrincipalPattern[],
  matches: ReadonlySet<PrincipalMatch | undefined>,
  requester: RequestPrincipal,
): boolean {
  if (patterns.some(({ type, value }) => type === 'AWS' && value === '*')) return true;
  switch (requester.type) {
    case 'user':
      return matches.has('account') && matches.has('direct');
    case 'role-session':
      return matches.has('account') && matches.has('role');
    default:
      return matches.has('direct');
  }
}

function matchPrincipal(pattern: PrincipalPattern, requester: RequestPrincipal): PrincipalMatch | undefined {
  const { type, value } = pattern;
  switch (type) {
    case 'AWS':
      return value === '*' ? 'direct' : matchAwsPrincipal(value, requester);
    case 'Service':
      return requester.type === 'service' && requester.name === value ? 'direct' : undefined;
    case 'Federated':
      return requester.type === 'federated' && requester.provider === value ? 'direct' : undefined;
    case 'CanonicalUser':
      return matchAccount('canonicalUserId' in requester && requester.canonicalUserId === value, requester);
    default:
      return type satisfies never;
  }
}

function matchAwsPrincipal(value: string, requester: RequestPrincipal): PrincipalMatch | undefined {
  if (!('accountId' in requester)) return undefined;
  const { accountId } = requester;
  if (value === accountId || value === rootArn(accountId)) return matchAccount(true, requester);
  if (requester.type === 'user') {
    return value === requester.arn || value === requester.userId ? 'direct' : undefined;
  }
  if (requester.type === 'role-session') {
    if (value === requester.arn) return 'direct';
    return value === requester.roleArn || value === requester.roleId ? 'role' : undefined;
  }
  return undefined;
}

function matchAccount(isNamed: boolean, requester: RequestPrincipal): PrincipalMatch | undefined {
  if (!isNamed) return undefined;
  return requester.type === 'root' ? 'direct' : 'account';
}
