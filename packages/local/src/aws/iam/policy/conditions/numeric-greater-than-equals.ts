import { numericOperator } from './compare-numbers.ts';

export const numericGreaterThanEquals = numericOperator(
  'NumericGreaterThanEquals',
  (difference) => difference >= 0,
);
