import { dateOperator } from './compare-dates.ts';

export const dateLessThanEquals = dateOperator('DateLessThanEquals', (difference) => difference <= 0);
