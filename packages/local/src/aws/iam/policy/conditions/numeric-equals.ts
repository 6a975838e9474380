import { numericOperator } from './compare-numbers.ts';
import { negated } from './operator.ts';

export const numericEquals = numericOperator('NumericEquals', (difference) => difference === 0);

export const numericNotEquals = negated('NumericNotEquals', numericEquals);
