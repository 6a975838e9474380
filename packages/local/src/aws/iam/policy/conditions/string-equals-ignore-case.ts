import { negated, valueOperator } from './operator.ts';

export const stringEqualsIgnoreCase = valueOperator(
  'StringEqualsIgnoreCase',
  (requestValue, policyValue, variables) => {
    const expected = variables.text(policyValue);
    return expected === undefined ? undefined : requestValue.toLowerCase() === expected.toLowerCase();
  },
);

export const stringNotEqualsIgnoreCase = negated('StringNotEqualsIgnoreCase', stringEqualsIgnoreCase);
