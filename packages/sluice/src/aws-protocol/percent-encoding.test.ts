import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidUriError, percentDecode, uriEncode, uriEncodePath } from './percent-encoding.ts';

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
