import { valueOperator } from './operator.ts';

export const bool = valueOperator('Bool', (requestValue, policyValue, variables) => {
  const expected = variables.text(policyValue)?.toLowerCase();
  if (expected === undefined) return undefined;
  return (expected === 'true' || expected === 'false') && requestValue.toLowerCase() === expected;
});
