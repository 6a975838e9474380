import { valueOperator, type ValueOperator } from './operator.ts';

const DECIMAL = /^[+-]?\d+(?:\.\d+)?$/;

/**
 * An operator on two decimal numbers. @param holds decides by the difference: the request's value minus the policy's
 */
export function numericOperator(name: string, holds: (difference: number) => boolean): ValueOperator {
  return valueOperator(name, (requestValue, policyValue) => {
    if (!DECIMAL.test(requestValue) || !DECIMAL.test(policyValue)) return false;
    return holds(Number(requestValue) - Number(policyValue));
  });
}
