import { dateOperator } from './compare-dates.ts';
import { negated } from './operator.ts';

export const dateEquals = dateOperator('DateEquals', (difference) => difference === 0);

export const dateNotEquals = negated('DateNotEquals', dateEquals);
