import { dateOperator } from './compare-dates.ts';

export const dateLessThan = dateOperator('DateLessThan', (difference) => difference < 0);
