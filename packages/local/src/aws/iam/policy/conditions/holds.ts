import type { ConditionContext } from '../condition-context.ts';
import type { Condition } from '../policy.ts';
import type { PolicyVariables } from '../policy-variables.ts';
import type { ValueOperator } from './operator.ts';

/**
 * Whether a request satisfies a condition.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
 */
export function conditionHolds(
  condition: Condition,
  context: ConditionContext,
  variables: PolicyVariables,
): boolean {
  const { operator, quantifier, ifExists, key, values: policyValues } = condition;
  const requestValues = context.values(key);
  if (operator.compares === 'presence') {
    return policyValues.some((value) => operator.matches(requestValues !== undefined, value));
  }
  if (requestValues === undefined) return ifExists || holdsWithoutKey(quantifier, operator);

  const holds = (requestValue: string) => valueHolds(operator, requestValue, policyValues, variables);
  // For ForAllValues and ForAnyValue, an empty string counts as no value.
  const members = requestValues.filter((value) => value !== '');
  switch (quantifier) {
    case 'ForAllValues':
      return members.every(holds);
    case 'ForAnyValue':
      return members.some(holds);
    case 'none':
      return operator.negated ? requestValues.every(holds) : requestValues.some(holds);
    default:
      return quantifier satisfies never;
  }
}

function holdsWithoutKey(quantifier: Condition['quantifier'], operator: ValueOperator): boolean {
  if (quantifier === 'none') return operator.negated;
  return quantifier === 'ForAllValues';
}

/** One of several policy values must match; for a negated operator, none of them. */
function valueHolds(
  operator: ValueOperator,
  requestValue: string,
  policyValues: readonly string[],
  variables: PolicyVariables,
): boolean {
  const matches = policyValues.map((policyValue) => operator.matches(requestValue, policyValue, variables));
  // undefined means that the policy's value is unknown. It does not count as "no match", because then a negated
  // operator would make the statement apply to more requests.
  return operator.negated ? matches.every((match) => match === false) : matches.includes(true);
}
