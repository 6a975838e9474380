import { dateOperator } from './compare-dates.ts';

export const dateGreaterThan = dateOperator('DateGreaterThan', (difference) => difference > 0);
