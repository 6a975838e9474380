import { valueOperator, type ValueOperator } from './operator.ts';

const DECIMAL = /^[+-]?\d+(?:\.\d+)?$/;

/** An operator on two decimal numbers, given by what must be true of request value minus policy value. */
export function numericOperator(name: string, holds: (difference: number) => boolean): ValueOperator {
  return valueOperator(name, (requestValue, policyValue) => {
    if (!DECIMAL.test(requestValue) || !DECIMAL.test(policyValue)) return false;
    return holds(Number(requestValue) - Number(policyValue));
  });
}
