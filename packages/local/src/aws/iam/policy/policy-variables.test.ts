import { expect, test } from 'vitest';
import { conditionContext } from './condition-context.ts';
import { matchesGlob } from './glob.ts';
import { policyVariables } from './policy-variables.ts';

const context = conditionContext([
  ['aws:username', 'ana'],
  ['aws:PrincipalTag/team', 'da*ta'],
  ['aws:TagKeys', ['one']],
]);
const variables = policyVariables('2012-10-17', context);

test.each([
  ['plain', 'plain'],
  ['home/${aws:username}/x', 'home/ana/x'],
  ['${AWS:UserName}', 'ana'],
  ["${aws:username, 'nobody'}", 'ana'],
  ["${aws:userid, 'nobody'}", 'nobody'],
  ["${aws:userid,'no body'}", 'no body'],
  ["${aws:userid, ''}", ''],
  ['${*}${?}${$}', '*?$'],
  ['${$}{aws:username}', '${aws:username}'],
  ['${aws:userid}', undefined],
  ['${aws:TagKeys}', undefined],
  ['${unknown}', undefined],
  ['${aws:username', '${aws:username'],
  ['${aws:user${aws:username}', '${aws:userana'],
  ['$aws:username', '$aws:username'],
])('%o becomes %o', (template, expected) => {
  expect(variables.text(template)).toBe(expected);
});

test('a wildcard in a value is an ordinary character', () => {
  const glob = variables.glob('${aws:PrincipalTag/team}/*');
  expect(glob && matchesGlob(glob, 'da*ta/x')).toBe(true);
  expect(glob && matchesGlob(glob, 'data/x')).toBe(false);
});

test('an escaped wildcard is an ordinary character', () => {
  const glob = variables.glob('a${*}*');
  expect(glob && matchesGlob(glob, 'a*b')).toBe(true);
  expect(glob && matchesGlob(glob, 'abb')).toBe(false);
});

test('2008-10-17 has no variables', () => {
  const old = policyVariables('2008-10-17', context);
  expect(old.text('${aws:username}')).toBe('${aws:username}');
  expect(old.splitArn('arn:aws:s3:::b/${aws:username}')).toHaveLength(6);
});

test('an ARN is cut at colons outside of variables', () => {
  expect(variables.splitArn('arn:aws:iam::${aws:PrincipalAccount}:user/${aws:username}:x')).toEqual([
    'arn',
    'aws',
    'iam',
    '',
    '${aws:PrincipalAccount}',
    'user/${aws:username}:x',
  ]);
});

test('text that only begins like variables is read in time', () => {
  const hostile = '${a'.repeat(40_000);
  const started = performance.now();
  expect(variables.text(hostile)).toBe(hostile);
  expect(performance.now() - started).toBeLessThan(2000);
});
