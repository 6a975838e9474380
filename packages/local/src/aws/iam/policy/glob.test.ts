import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { matchesGlob, plainGlob } from './glob.ts';

test.each([
  ['', '', true],
  ['', 'a', false],
  ['*', '', true],
  ['*', 'anything: at/all', true],
  ['?', 'a', true],
  ['?', '', false],
  ['a*', 'abc', true],
  ['*c', 'abc', true],
  ['a*c', 'abcbc', true],
  ['a*c', 'abcb', false],
  ['a?c*e', 'abcde', true],
  ['**', 'ab', true],
  ['a.c', 'abc', false],
  ['*ab*ab', 'abab', true],
  ['*ab*ab', 'ab', false],
])('%o against %o: %o', (pattern, text, expected) => {
  expect(matchesGlob(plainGlob(pattern), text)).toBe(expected);
});

test('a pattern made of many runs is decided in time', () => {
  const pattern = plainGlob(`${'*a'.repeat(3000)}*b`);
  const started = performance.now();
  expect(matchesGlob(pattern, 'a'.repeat(8000))).toBe(false);
  expect(performance.now() - started).toBeLessThan(2000);
});

test('it agrees with a matcher that tries everything', () => {
  const letters = fc
    .array(fc.constantFrom('a', 'b', '*', '?'), { maxLength: 8 })
    .map((list) => list.join(''));
  const plain = fc.array(fc.constantFrom('a', 'b'), { maxLength: 8 }).map((list) => list.join(''));
  fc.assert(
    fc.property(letters, plain, (pattern, text) => {
      expect(matchesGlob(plainGlob(pattern), text)).toBe(triesEverything(pattern, text));
    }),
  );
});

function triesEverything(pattern: string, text: string): boolean {
  if (pattern === '') return text === '';
  const rest = pattern.slice(1);
  if (pattern.startsWith('*')) {
    return triesEverything(rest, text) || (text !== '' && triesEverything(pattern, text.slice(1)));
  }
  if (text === '') return false;
  return (pattern.startsWith('?') || pattern[0] === text[0]) && triesEverything(rest, text.slice(1));
}
