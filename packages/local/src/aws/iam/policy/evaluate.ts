import { conditionContext, type ConditionEntries } from './condition-context.ts';
import { matchingStatements, type RequestFacts, type StatementMatch } from './matching/match-statement.ts';
import type { Policy } from './policy.ts';
import { principalKeys, type RequestPrincipal } from './request-principal.ts';

export interface NamedPolicy {
  /** For messages and logs: a name or an ARN. */
  readonly name: string;
  readonly policy: Policy;
}

export interface EvaluationRequest {
  readonly principal: RequestPrincipal;
  /** @example 's3:PutObject' */
  readonly action: string;
  /** An ARN, or `*` for actions that have no resource. */
  readonly resource: string;
  /** Condition keys of the request. Keys that follow from the principal are added, and replace those given here. */
  readonly context?: ConditionEntries | undefined;
  /** The policies of the user and its groups, or of the role. */
  readonly identityPolicies?: readonly NamedPolicy[] | undefined;
  readonly permissionsBoundary?: NamedPolicy | undefined;
  /** The session policies given to AssumeRole. The session may do what any of them allows, if the role may do it. */
  readonly sessionPolicies?: readonly NamedPolicy[] | undefined;
  /** The policy of the resource, e.g. a bucket policy. */
  readonly resourcePolicy?: NamedPolicy | undefined;
  /** The trust policy of the role that is assumed. AssumeRole needs its permission in any case. */
  readonly trustPolicy?: NamedPolicy | undefined;
  /**
   * The owner of the resource. If it is another account than the principal's, both sides must allow the request.
   * @default the principal's account
   */
  readonly resourceAccountId?: string | undefined;
}

export type PolicyType = 'identity' | 'boundary' | 'session' | 'resource' | 'trust';

export interface StatementReference {
  readonly policyType: PolicyType;
  readonly policyName: string;
  readonly sid: string | undefined;
  /** Its place in the policy, from 0. */
  readonly index: number;
}

/** The root user is allowed without a statement. */
export type Decision = Allowed | Denial;

export interface Allowed {
  readonly decision: 'allowed';
  readonly statement?: StatementReference | undefined;
}

export type Denial =
  | { readonly decision: 'explicitDeny'; readonly statement: StatementReference }
  | { readonly decision: 'implicitDeny'; readonly policyType: PolicyType };

/**
 * AWS's decision. An explicit deny in any policy wins. Otherwise the policy of the resource may allow the request by
 * itself. Otherwise the identity's policies, its boundary and its session policies must all allow it.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html
 */
export function evaluate(request: EvaluationRequest): Decision {
  const { principal, action, resource, context = [] } = request;
  const facts = {
    principal,
    action,
    resource,
    context: conditionContext(context, principalKeys(principal)),
  };
  const layers = policyLayers(request);
  for (const layer of layers) {
    const [statement] = layer.find('Deny', facts);
    if (statement !== undefined) return { decision: 'explicitDeny', statement: statement.reference };
  }
  return decideAllow(request, layers, facts);
}

function decideAllow(request: EvaluationRequest, layers: readonly Layer[], facts: RequestFacts): Decision {
  const { principal, resourceAccountId } = request;
  const guard = layers.find(({ type }) => type === 'resource' || type === 'trust');
  const grants = guard?.find('Allow', facts) ?? [];
  const direct = grants.find(({ principalMatch }) => principalMatch === 'direct');
  const implicitDeny = (policyType: PolicyType) => ({ decision: 'implicitDeny', policyType }) as const;
  const allowedBy = (grant: Grant | undefined) =>
    ({ decision: 'allowed', statement: grant?.reference }) as const;

  // Principals without an account here (services, federated users) have no identity policies.
  if (!('accountId' in principal)) {
    return direct === undefined ? implicitDeny(guard?.type ?? 'resource') : allowedBy(direct);
  }
  const isCrossAccount = resourceAccountId !== undefined && resourceAccountId !== principal.accountId;
  if (direct !== undefined && !isCrossAccount) return allowedBy(direct);
  if (grants.length === 0 && (isCrossAccount || guard?.type === 'trust')) {
    return implicitDeny(guard?.type ?? 'resource');
  }

  const roleGrant = grants.find(({ principalMatch }) => principalMatch === 'role');
  const identityGrants = layers.find(({ type }) => type === 'identity')?.find('Allow', facts) ?? [];
  const grant = identityGrants[0] ?? (isCrossAccount ? undefined : roleGrant);
  if (grant === undefined && principal.type !== 'root') return implicitDeny('identity');

  const limits = layers.filter(({ type }) => type === 'boundary' || type === 'session');
  const limit = limits.find((layer) => layer.find('Allow', facts).length === 0);
  return limit === undefined ? allowedBy(grant) : implicitDeny(limit.type);
}

/** The policies of one type. Together they allow what any of them allows. */
interface Layer {
  readonly type: PolicyType;
  find(effect: 'Allow' | 'Deny', facts: RequestFacts): Grant[];
}

interface Grant extends Pick<StatementMatch, 'principalMatch'> {
  readonly reference: StatementReference;
}

/** The layers of this request. If several would deny it, the first one is named as the reason. */
function policyLayers(request: EvaluationRequest): Layer[] {
  const { identityPolicies, permissionsBoundary, sessionPolicies, resourcePolicy, trustPolicy } = request;
  const lists: [PolicyType, readonly (NamedPolicy | undefined)[] | undefined][] = [
    ['identity', identityPolicies],
    ['boundary', [permissionsBoundary]],
    ['session', sessionPolicies],
    ['trust', [trustPolicy]],
    ['resource', [resourcePolicy]],
  ];
  return lists.flatMap(([type, list = []]) => {
    const policies = list.filter((policy) => policy !== undefined);
    return policies.length === 0 ? [] : [policyLayer(type, policies)];
  });
}

function policyLayer(type: PolicyType, policies: readonly NamedPolicy[]): Layer {
  return {
    type,
    find: (effect, facts) =>
      policies.flatMap(({ name, policy }) =>
        matchingStatements(policy, effect, facts).map(({ statement, index, principalMatch }) => ({
          principalMatch,
          reference: { policyType: type, policyName: name, sid: statement.sid, index },
        })),
      ),
  };
}
