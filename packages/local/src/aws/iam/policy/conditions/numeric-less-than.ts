import { numericOperator } from './compare-numbers.ts';

export const numericLessThan = numericOperator('NumericLessThan', (difference) => difference < 0);
