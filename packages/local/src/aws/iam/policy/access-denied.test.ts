import { expect, test } from 'vitest';
import { accessDeniedMessage, denialReason } from './access-denied.ts';
import type { Denial, PolicyType } from './evaluate.ts';
import type { RequestPrincipal } from './request-principal.ts';

const session: RequestPrincipal = {
  type: 'role-session',
  accountId: '123456789012',
  arn: 'arn:aws:sts::123456789012:assumed-role/rds-s3-export-role/session',
  roleArn: 'arn:aws:iam::123456789012:role/rds-s3-export-role',
  roleId: 'AROAEXAMPLEEXAMPLE01',
  sessionName: 'session',
};
const putObject = {
  principal: session,
  action: 's3:PutObject',
  resource: 'arn:aws:s3:::sample-bucket/sample-filepath',
};
const user = `User: ${session.arn} is not authorized to perform:`;

const implicit = (policyType: PolicyType): Denial => ({ decision: 'implicitDeny', policyType });
const explicit = (policyType: PolicyType): Denial => ({
  decision: 'explicitDeny',
  statement: { policyType, policyName: 'p', sid: undefined, index: 0 },
});

test.each([
  [implicit('identity'), 'because no identity-based policy allows the s3:PutObject action'],
  [implicit('boundary'), 'because no permissions boundary allows the s3:PutObject action'],
  [implicit('session'), 'because no session policy allows the s3:PutObject action'],
  [implicit('resource'), 'because no resource-based policy allows the s3:PutObject action'],
  [explicit('identity'), 'with an explicit deny in an identity-based policy'],
  [explicit('boundary'), 'with an explicit deny in a permissions boundary'],
  [explicit('session'), 'with an explicit deny in a session policy'],
  [explicit('resource'), 'with an explicit deny in a resource-based policy'],
])('%o: %s', (denial, reason) => {
  expect(accessDeniedMessage(putObject, denialReason(putObject.action, denial))).toBe(
    `${user} s3:PutObject on resource: "arn:aws:s3:::sample-bucket/sample-filepath" ${reason}`,
  );
});

test('only S3 puts the resource in quotes', () => {
  const request = { principal: session, action: 'sts:AssumeRole', resource: session.roleArn };
  expect(accessDeniedMessage(request, denialReason(request.action, implicit('trust')))).toBe(
    `${user} sts:AssumeRole on resource: ${session.roleArn} because no role trust policy allows the sts:AssumeRole action`,
  );
  expect(accessDeniedMessage(request, denialReason(request.action, explicit('trust')))).toBe(
    `${user} sts:AssumeRole on resource: ${session.roleArn} with an explicit deny in the role trust policy`,
  );
});

test('an action without a resource names none', () => {
  const request = { principal: session, action: 'sts:GetSessionToken', resource: '*' };
  expect(accessDeniedMessage(request, denialReason(request.action, implicit('identity')))).toBe(
    `${user} sts:GetSessionToken because no identity-based policy allows the sts:GetSessionToken action`,
  );
});
