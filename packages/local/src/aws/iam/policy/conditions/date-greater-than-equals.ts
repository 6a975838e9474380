import { dateOperator } from './compare-dates.ts';

export const dateGreaterThanEquals = dateOperator('DateGreaterThanEquals', (difference) => difference >= 0);
