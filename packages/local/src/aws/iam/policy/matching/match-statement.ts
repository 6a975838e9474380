import type { ConditionContext } from '../condition-context.ts';
import { conditionHolds } from '../conditions/holds.ts';
import type { Effect, Policy, Statement } from '../policy.ts';
import { policyVariables } from '../policy-variables.ts';
import type { RequestPrincipal } from '../request-principal.ts';
import { appliesToAction } from './match-action.ts';
import { matchPrincipals, type PrincipalMatch } from './match-principal.ts';
import { appliesToResource } from './match-resource.ts';

/** What statements are compared with. */
export interface RequestFacts {
  readonly principal: RequestPrincipal;
  readonly action: string;
  readonly resource: string;
  readonly context: ConditionContext;
}

export interface StatementMatch {
  readonly statement: Statement;
  /** Its place in the policy, from 0. */
  readonly index: number;
  readonly principalMatch: PrincipalMatch;
}

/** The statements of one effect that apply to a request. */
export function matchingStatements(policy: Policy, effect: Effect, facts: RequestFacts): StatementMatch[] {
  const { principal, action, resource, context } = facts;
  const variables = policyVariables(policy.version, context);
  return policy.statements.flatMap((statement, index) => {
    if (statement.effect !== effect || !appliesToAction(statement.actions, action)) return [];
    const principalMatch = matchPrincipals(statement, principal);
    if (principalMatch === undefined) return [];
    const { resources, conditions } = statement;
    if (resources !== undefined && !appliesToResource(resources, resource, variables)) return [];
    const holds = conditions.every((condition) => conditionHolds(condition, context, variables));
    return holds ? [{ statement, index, principalMatch }] : [];
  });
}
