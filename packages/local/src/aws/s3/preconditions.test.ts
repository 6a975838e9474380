import { describe, expect, it } from 'vitest';
import { listsEtag } from './preconditions.ts';
import { parseTagging } from './tagging.ts';

describe('listsEtag', () => {
  it.each([
    ['"abc"', true],
    ['abc', true],
    ['W/"abc"', true],
    ['"x", "abc"', true],
    ['*', true],
    ['"ab"', false],
    ['', false],
  ])('%s: %s', (list, expected) => {
    expect(listsEtag(list, 'abc')).toBe(expected);
  });
});

describe('parseTagging', () => {
  it('reads a query string', () => {
    expect(parseTagging('a=1&b=x%20y')).toEqual([
      ['a', '1'],
      ['b', 'x y'],
    ]);
  });

  it.each(['a=1&a=2', '=1', Array.from({ length: 11 }, (_, number) => `t${number}=`).join('&')])(
    'refuses %s',
    (tags) => {
      expect(() => parseTagging(tags)).toThrow(/tag/i);
    },
  );
});
