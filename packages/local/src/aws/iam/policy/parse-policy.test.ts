import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { MalformedPolicyDocumentError } from './malformed-policy-error.ts';
import { parsePolicy } from './parse-policy.ts';
import type { PolicyKind } from './policy.ts';

const KINDS = ['identity', 'trust', 'resource'] as const;

test('a policy is read with its elements', () => {
  const policy = parsePolicy(
    JSON.stringify({
      Version: '2012-10-17',
      Statement: {
        Sid: 's3export',
        Effect: 'Allow',
        Action: 'S3:PutObject',
        NotResource: ['arn:aws:s3:::private/*'],
        Condition: { 'ForAllValues:StringLikeIfExists': { 'aws:TagKeys': ['a*', 1, true] } },
      },
    }),
    'identity',
  );
  expect(policy).toMatchObject({
    kind: 'identity',
    version: '2012-10-17',
    statements: [
      {
        sid: 's3export',
        effect: 'Allow',
        principals: undefined,
        actions: { negated: false, values: ['S3:PutObject'] },
        resources: { negated: true, values: ['arn:aws:s3:::private/*'] },
        conditions: [
          {
            operator: { name: 'StringLike' },
            quantifier: 'ForAllValues',
            ifExists: true,
            key: 'aws:TagKeys',
            values: ['a*', '1', 'true'],
          },
        ],
      },
    ],
  });
});

test('a syntax error says where, in its cause', () => {
  const error = refusalOf('{"Version": "2012-10-17", "Version": "2012-10-17"}');
  expect(error.message).toBe('Syntax errors in policy.');
  expect(error.cause).toMatchObject({ message: 'the key "Version" stands twice at character 35' });
});

test('a document longer than IAM takes is refused before it is read', () => {
  expect(refusalOf(' '.repeat(200_000)).message).toBe('Syntax errors in policy.');
});

test('whatever is given, it is a policy or a refusal', () => {
  const element = fc.oneof(
    fc.constantFrom('Version', 'Statement', 'Effect', 'Action', 'Resource', 'Condition', 'Principal', 'Sid'),
    fc.constantFrom('StringLike', 'AWS', 'Allow', '2012-10-17', 's3:*', '*', 'arn:aws:s3:::b/${aws:x}'),
    fc.string(),
  );
  const json = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 6 },
      element,
      fc.constantFrom(null, true, 1),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(element, tie('value'), { maxKeys: 5 }),
    ),
  })).value;
  const text = fc.oneof(
    fc.string(),
    json.map((value) => JSON.stringify(value)),
  );
  fc.assert(
    fc.property(text, fc.constantFrom(...KINDS), (given, kind) => {
      expect(outcomeOf(given, kind)).toBeOneOf(['policy', 'refusal']);
    }),
  );
});

function outcomeOf(text: string, kind: PolicyKind): 'policy' | 'refusal' | 'failure' {
  try {
    parsePolicy(text, kind);
    return 'policy';
  } catch (error) {
    return error instanceof MalformedPolicyDocumentError ? 'refusal' : 'failure';
  }
}

function refusalOf(text: string): MalformedPolicyDocumentError {
  try {
    parsePolicy(text, 'identity');
  } catch (error) {
    if (error instanceof MalformedPolicyDocumentError) return error;
    throw error;
  }
  throw new Error('the policy was taken');
}
