import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidUriError, percentDecode, uriEncode, uriEncodePath } from './percent-encoding.ts';
import { QueryParameters } from './query-parameters.ts';

describe('percentDecode', () => {
  it.each([
    ['/a/../b//c/./', '/a/../b//c/./'],
    ['/a%2Fb', '/a/b'],
    ['/a+b', '/a+b'],
    ['/%E2%82%AC', '/€'],
    ['/\u00e2\u0082\u00ac', '/€'],
  ])('%s is %s', (raw, decoded) => {
    expect(percentDecode(raw)).toBe(decoded);
  });

  it.each(['/%', '/%4', '/%zz', '/%ff', '/%E2%82'])('%s cannot be read', (raw) => {
    expect(() => percentDecode(raw)).toThrow(InvalidUriError);
  });

  it('reads whatever uriEncode writes', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }).filter((text) => text.isWellFormed()),
        (text) => {
          expect(percentDecode(uriEncode(text))).toBe(text);
          expect(percentDecode(uriEncodePath(text))).toBe(text);
          expect(uriEncode(text)).toMatch(/^([\w.~-]|%[0-9A-F]{2})*$/);
        },
      ),
    );
  });
});

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
