import { expect, it } from 'vitest';
import { QueryParameters } from './query-parameters.ts';

it('a query is read in its order, with its repetitions, and with + as a space', () => {
  const query = new QueryParameters('b=2&a=x+y%2B&a=second&flag&empty=&=v&&c=d=e');
  expect(query.entries).toEqual([
    ['b', '2'],
    ['a', 'x y+'],
    ['a', 'second'],
    ['flag', ''],
    ['empty', ''],
    ['', 'v'],
    ['c', 'd=e'],
  ]);
  expect([query.get('a'), query.has('flag'), query.get('none')]).toEqual(['x y+', true, undefined]);
});
