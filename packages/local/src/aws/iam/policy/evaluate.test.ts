import { expect, test } from 'vitest';
import { evaluate } from './evaluate.ts';
import { parsePolicy } from './parse-policy.ts';
import type { RequestPrincipal } from './request-principal.ts';

/** The decisions themselves are tested by test/policy-cases; here is what those cases can't express. */
const user: RequestPrincipal = {
  type: 'user',
  accountId: '123456789012',
  arn: 'arn:aws:iam::123456789012:user/ana',
  userId: 'AIDAEXAMPLEEXAMPLE01',
};

const put = { principal: user, action: 's3:PutObject', resource: 'arn:aws:s3:::b/k' };

function policy(name: string, ...statements: object[]) {
  const text = JSON.stringify({ Version: '2012-10-17', Statement: statements });
  return { name, policy: parsePolicy(text, 'identity') };
}

test('the statement that decided is named by policy, Sid and place', () => {
  const identityPolicies = [
    policy('readers', { Effect: 'Allow', Action: 's3:GetObject', Resource: '*' }),
    policy(
      'writers',
      { Effect: 'Allow', Action: 's3:PutObject', Resource: '*' },
      { Sid: 'NoKeys', Effect: 'Deny', Action: 's3:*', Resource: 'arn:aws:s3:::b/k' },
    ),
  ];
  expect(evaluate({ ...put, identityPolicies })).toEqual({
    decision: 'explicitDeny',
    statement: { policyType: 'identity', policyName: 'writers', sid: 'NoKeys', index: 1 },
  });
  expect(evaluate({ ...put, resource: 'arn:aws:s3:::b/x', identityPolicies })).toEqual({
    decision: 'allowed',
    statement: { policyType: 'identity', policyName: 'writers', sid: undefined, index: 0 },
  });
});

test('the context may be a Map', () => {
  const identityPolicies = [
    policy('p', {
      Effect: 'Allow',
      Action: 's3:PutObject',
      Resource: '*',
      Condition: { IpAddress: { 'aws:SourceIp': '127.0.0.0/8' } },
    }),
  ];
  const context = new Map([['aws:SourceIp', '127.0.0.1']]);
  expect(evaluate({ ...put, context, identityPolicies }).decision).toBe('allowed');
});

test('a policy of the largest size with hostile patterns is decided in time', () => {
  const hostile = `arn:aws:s3:::b/${'*a'.repeat(3000)}*b`;
  const identityPolicies = [policy('p', { Effect: 'Allow', Action: '*', Resource: hostile })];
  const started = performance.now();
  const { decision } = evaluate({
    ...put,
    resource: `arn:aws:s3:::b/${'a'.repeat(1024)}`,
    identityPolicies,
  });
  expect(decision).toBe('implicitDeny');
  expect(performance.now() - started).toBeLessThan(2000);
});
