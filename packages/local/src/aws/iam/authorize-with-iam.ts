import type { Authorize } from '../identity.ts';
import { defaultDocument, lookUpPolicy } from './find-policy.ts';
import { parsedPolicy } from './parsed-policy.ts';
import { denialReason } from './policy/access-denied.ts';
import { evaluate, type NamedPolicy } from './policy/evaluate.ts';
import type { RequestPrincipal } from './policy/request-principal.ts';
import type { IdentityView } from './identity-kinds.ts';
import type { IamStore, IamView } from './state/iam-store.ts';

/**
 * Decides by the policies as they are at the time of the request: a policy that was detached no longer counts, not even
 * in sessions that began before.
 */
export function authorizeWithIam(store: IamStore): Authorize {
  return ({ conditions: context, ...request }) => {
    const decision = evaluate({ ...request, context, ...policiesOf(store.state, request.principal) });
    if (decision.decision === 'allowed') return { allowed: true };
    return { allowed: false, because: denialReason(request.action, decision) };
  };
}

interface OwnPolicies {
  readonly identityPolicies?: readonly NamedPolicy[];
  readonly permissionsBoundary?: NamedPolicy | undefined;
}

function policiesOf(state: IamView, principal: RequestPrincipal): OwnPolicies {
  const identity = identityOf(state, principal);
  if (identity === undefined) return {};
  const { attachedPolicies, inlinePolicies, permissionsBoundary: boundary } = identity;
  return {
    identityPolicies: [
      ...attachedPolicies.flatMap((arn) => managedPolicy(state, arn) ?? []),
      ...inlinePolicies.map(({ name, document }) => ({ name, policy: parsedPolicy(document, 'identity') })),
    ],
    permissionsBoundary: boundary === undefined ? undefined : managedPolicy(state, boundary),
  };
}

function identityOf(state: IamView, principal: RequestPrincipal): IdentityView | undefined {
  if (principal.type === 'user') return state.users.find(({ id }) => id === principal.userId);
  if (principal.type === 'role-session') return state.roles.find(({ id }) => id === principal.roleId);
  return undefined;
}

/** The default version of a managed policy. */
export function managedPolicy(state: IamView, arn: string): NamedPolicy | undefined {
  const found = lookUpPolicy(state, arn);
  return found && { name: arn, policy: parsedPolicy(defaultDocument(found), 'identity') };
}
