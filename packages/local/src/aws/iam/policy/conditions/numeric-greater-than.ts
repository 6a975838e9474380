import { numericOperator } from './compare-numbers.ts';

export const numericGreaterThan = numericOperator('NumericGreaterThan', (difference) => difference > 0);
