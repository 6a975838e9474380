import type { PolicyVariables } from '../policy-variables.ts';

export type ConditionOperator = ValueOperator | PresenceOperator;

/**
 * Compares one value of the request with one value of the policy.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
 */
export interface ValueOperator {
  readonly compares: 'values';
  readonly name: string;
  /** A negated operator holds when none of the policy's values match, and also when the request lacks the key. */
  readonly negated: boolean;
  /**
   * Whether the values match, before negation. Undefined when the policy's value contains a variable that the request
   * has no value for. A value that does not have the operator's type matches nothing.
   */
  matches(requestValue: string, policyValue: string, variables: PolicyVariables): boolean | undefined;
}

/** Asks only whether the request has the key. */
export interface PresenceOperator {
  readonly compares: 'presence';
  readonly name: string;
  matches(present: boolean, policyValue: string): boolean;
}

export function valueOperator(name: string, matches: ValueOperator['matches']): ValueOperator {
  return { compares: 'values', name, negated: false, matches };
}

export function negated(name: string, operator: ValueOperator): ValueOperator {
  return { ...operator, name, negated: true };
}
