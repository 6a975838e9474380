import { describe, expect, it } from 'vitest';
import { SluiceError } from '../errors.ts';
import { collectPairs, type Pairs } from './collect-pairs.ts';

function collected(...texts: string[]): Pairs | undefined {
  const collect = collectPairs((pairs) => {
    if (Object.keys(pairs).length > 3)
      throw new SluiceError('invalid_argument', 'too many', { detail: 'Three.' });
  });
  return texts.reduce<Pairs | undefined>((previous, text) => collect(text, previous), undefined);
}

describe('options key=value', () => {
  it('are collected; a value may be empty or have an equals sign', () => {
    expect(collected('a=1', 'b=', 'c==x=y\nz')).toEqual({ a: '1', b: '', c: '=x=y\nz' });
  });

  it('may have the name of a property that every object has', () => {
    const pairs = collected('__proto__=x', 'constructor=y') ?? {};
    expect(Object.entries(pairs)).toEqual([
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ]);
  });

  it.each([
    [['a'], 'Expected key=value'],
    [['a=1', 'a=1'], '"a" is given twice'],
    [['a=', 'b=', 'c=', 'd='], 'too many. Three.'],
  ])('are refused: %j', (texts, message) => {
    expect(() => collected(...texts)).toThrow(message);
  });
});
