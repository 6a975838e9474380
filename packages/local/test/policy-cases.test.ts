import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test, describe } from 'vitest';
import { z } from 'zod';
import { type Decision, evaluate, type NamedPolicy } from '../src/aws/iam/policy/evaluate.ts';
import { MalformedPolicyDocumentError } from '../src/aws/iam/policy/malformed-policy-error.ts';
import { parsePolicy } from '../src/aws/iam/policy/parse-policy.ts';
import type { PolicyKind } from '../src/aws/iam/policy/policy.ts';
import type { RequestPrincipal } from '../src/aws/iam/policy/request-principal.ts';

/**
 * AWS's decisions as data. `policy-cases/evaluation` has requests, the policies that apply to them and the expected
 * decision; `policy-cases/documents` has documents and whether IAM accepts them. A new case needs no change here.
 */
const casesDirectory = path.join(import.meta.dirname, 'policy-cases');

/** The `principal` of a case is one of these. */
const principals: Record<string, RequestPrincipal> = {
  user: {
    type: 'user',
    accountId: '123456789012',
    arn: 'arn:aws:iam::123456789012:user/ana',
    userId: 'AIDAEXAMPLEEXAMPLE01',
    tags: { team: 'data' },
  },
  session: {
    type: 'role-session',
    accountId: '123456789012',
    arn: 'arn:aws:sts::123456789012:assumed-role/rds-s3-export-role/cluster-main',
    roleArn: 'arn:aws:iam::123456789012:role/rds-s3-export-role',
    roleId: 'AROAEXAMPLEEXAMPLE01',
    sessionName: 'cluster-main',
    issuedAt: new Date('2026-03-01T11:00:00Z'),
  },
  root: {
    type: 'root',
    accountId: '123456789012',
    canonicalUserId: '79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be',
  },
  'root-of-another-account': { type: 'root', accountId: '999999999999' },
  service: { type: 'service', name: 'rds.amazonaws.com' },
  federated: { type: 'federated', provider: 'accounts.google.com' },
  anonymous: { type: 'anonymous' },
};

const document = z.record(z.string(), z.unknown());

const evaluationCase = z.strictObject({
  name: z.string().min(1),
  request: z.strictObject({
    principal: z.string(),
    action: z.string(),
    resource: z.string(),
    context: z.record(z.string(), z.union([z.string(), z.array(z.string())])).default({}),
    resourceAccountId: z.string().optional(),
  }),
  policies: z.strictObject({
    identity: z.array(document).default([]),
    boundary: document.optional(),
    session: z.array(document).default([]),
    resource: document.optional(),
    trust: document.optional(),
  }),
  expected: z.strictObject({
    decision: z.enum(['allowed', 'implicitDeny', 'explicitDeny']),
    /** The type of the policy that decided. */
    by: z.enum(['identity', 'boundary', 'session', 'resource', 'trust']).optional(),
    sid: z.string().optional(),
  }),
});

const documentCase = z.strictObject({
  name: z.string().min(1),
  kind: z.enum(['identity', 'trust', 'resource']),
  /** Either `document` or `text` is set: `text` is for documents that are not valid JSON, or have duplicate keys. */
  document: z.unknown().optional(),
  text: z.string().optional(),
  expected: z.union([z.literal('valid'), z.strictObject({ refused: z.string() })]),
});

test('every file belongs to one of the two kinds of cases, of which each file is read', () => {
  expect(readdirSync(casesDirectory).toSorted()).toEqual(['documents', 'evaluation']);
});

describe('evaluation', () => {
  const cases = readCases('evaluation', evaluationCase);

  test('there are at least 150 cases', () => {
    expect(cases.length).toBeGreaterThanOrEqual(150);
  });

  test.each(cases)('$file: $name', ({ request, policies, expected }) => {
    const principal = principals[request.principal];
    if (principal === undefined) throw new Error(`no principal is named ${request.principal}`);
    const decision = evaluate({
      principal,
      action: request.action,
      resource: request.resource,
      context: Object.entries(request.context),
      resourceAccountId: request.resourceAccountId,
      identityPolicies: policies.identity.map((text) => named(text, 'identity')),
      permissionsBoundary: policies.boundary && named(policies.boundary, 'identity'),
      sessionPolicies: policies.session.map((text) => named(text, 'identity')),
      resourcePolicy: policies.resource && named(policies.resource, 'resource'),
      trustPolicy: policies.trust && named(policies.trust, 'trust'),
    });
    expect({ decision: decision.decision, ...decidedBy(decision) }).toMatchObject(expected);
  });
});

describe('documents', () => {
  const cases = readCases('documents', documentCase);
  const parse = (given: Omit<(typeof cases)[number], 'expected'>) =>
    parsePolicy(given.text ?? JSON.stringify(given.document), given.kind);

  test.each(cases.filter(({ expected }) => expected === 'valid'))('$file: $name', (given) => {
    expect(parse(given).kind).toBe(given.kind);
  });

  const refusals = cases.flatMap(({ expected, ...given }) =>
    expected === 'valid' ? [] : [{ ...given, message: expected.refused }],
  );
  test.each(refusals)('$file: $name', ({ message, ...given }) => {
    expect(() => parse(given)).toThrow(new MalformedPolicyDocumentError(message));
  });
});

/** Every file of the directory; one that is not a list of cases fails the test. */
function readCases<T extends { name: string }>(
  directory: string,
  schema: z.ZodType<T>,
): (T & { file: string })[] {
  const files = readdirSync(path.join(casesDirectory, directory));
  return files.flatMap((file) => {
    const content: unknown = JSON.parse(readFileSync(path.join(casesDirectory, directory, file), 'utf8'));
    const cases = z.array(schema).min(1).parse(content);
    if (new Set(cases.map(({ name }) => name)).size < cases.length) {
      throw new Error(`${file} has two cases of one name`);
    }
    return cases.map((one) => ({ ...one, file: path.basename(file, '.json') }));
  });
}

function named(text: Record<string, unknown>, kind: PolicyKind): NamedPolicy {
  return { name: kind, policy: parsePolicy(JSON.stringify(text), kind) };
}

function decidedBy(decision: Decision): { by?: string | undefined; sid?: string | undefined } {
  if (decision.decision === 'implicitDeny') return { by: decision.policyType };
  return { by: decision.statement?.policyType, sid: decision.statement?.sid };
}
