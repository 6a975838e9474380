import { expect, test } from 'vitest';
import { checkPolicySize } from './policy-size.ts';

test('whitespace is not counted', () => {
  expect(() => checkPolicySize([`${'a'.repeat(6144)} \n\t`], { type: 'managed' })).not.toThrow();
});

test.each([
  [{ type: 'managed' } as const, 6145, 'Cannot exceed quota for PolicySize: 6144'],
  [{ type: 'trust' } as const, 2049, 'Cannot exceed quota for ACLSizePerRole: 2048'],
  [
    { type: 'role', name: 'exporter' } as const,
    10_241,
    'Maximum policy size of 10240 bytes exceeded for role exporter',
  ],
  [{ type: 'user', name: 'ana' } as const, 2049, 'Maximum policy size of 2048 bytes exceeded for user ana'],
])('%o with %d characters is too long', (target, characters, message) => {
  const call = () => checkPolicySize(['a'.repeat(characters)], target);
  expect(call).toThrow(expect.objectContaining({ code: 'LimitExceeded', message }));
});

test('inline policies share their limit', () => {
  const texts = ['a'.repeat(6000), 'a'.repeat(6000)];
  expect(() => checkPolicySize(texts, { type: 'role', name: 'exporter' })).toThrow('role exporter');
});
