import { expect, test } from 'vitest';
import { conditionContext } from './condition-context.ts';

test('keys are found whatever their case', () => {
  const context = conditionContext(new Map([['aws:PrincipalTag/Team', 'data']]));
  expect(context.single('AWS:principaltag/team')).toBe('data');
});

test('a key with an empty list is absent', () => {
  expect(conditionContext([['aws:TagKeys', []]]).values('aws:TagKeys')).toBeUndefined();
});

test('the later list wins, so that a request cannot replace what follows from its principal', () => {
  const context = conditionContext([['aws:Username', 'forged']], [['aws:username', 'ana']]);
  expect(context.values('aws:username')).toEqual(['ana']);
});

test.each(['__proto__', 'constructor', 'toString'])('%s is a key like any other', (key) => {
  expect(conditionContext([]).values(key)).toBeUndefined();
  expect(conditionContext([[key, 'x']]).single(key)).toBe('x');
});
