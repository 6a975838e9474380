import { numericOperator } from './compare-numbers.ts';

export const numericLessThanEquals = numericOperator(
  'NumericLessThanEquals',
  (difference) => difference <= 0,
);
