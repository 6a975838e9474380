import { negated, valueOperator } from './operator.ts';

/** Case-sensitive; `*` and `?` are ordinary characters. */
export const stringEquals = valueOperator('StringEquals', (requestValue, policyValue, variables) => {
  const expected = variables.text(policyValue);
  return expected === undefined ? undefined : requestValue === expected;
});

export const stringNotEquals = negated('StringNotEquals', stringEquals);
