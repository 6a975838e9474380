import { expect, test } from 'vitest';
import { principalKeys, principalName, type RequestPrincipal } from './request-principal.ts';

test('a role session is its role for aws:PrincipalArn, and has no user name', () => {
  const session: RequestPrincipal = {
    type: 'role-session',
    accountId: '123456789012',
    arn: 'arn:aws:sts::123456789012:assumed-role/exporter/main',
    roleArn: 'arn:aws:iam::123456789012:role/service/exporter',
    roleId: 'AROAEXAMPLEEXAMPLE01',
    sessionName: 'main',
    issuedAt: new Date('2026-01-02T03:04:05Z'),
    tags: { team: 'data' },
  };
  expect(Object.fromEntries(principalKeys(session))).toEqual({
    'aws:PrincipalAccount': '123456789012',
    'aws:PrincipalArn': 'arn:aws:iam::123456789012:role/service/exporter',
    'aws:PrincipalIsAWSService': 'false',
    'aws:PrincipalType': 'AssumedRole',
    'aws:userid': 'AROAEXAMPLEEXAMPLE01:main',
    'aws:TokenIssueTime': '2026-01-02T03:04:05.000Z',
    'aws:PrincipalTag/team': 'data',
  });
  expect(principalName(session)).toBe(session.arn);
});

test('a user name is the last part of its path', () => {
  const user: RequestPrincipal = {
    type: 'user',
    accountId: '123456789012',
    arn: 'arn:aws:iam::123456789012:user/staff/ana',
    userId: 'AIDAEXAMPLEEXAMPLE01',
  };
  expect(Object.fromEntries(principalKeys(user))).toMatchObject({
    'aws:username': 'ana',
    'aws:userid': 'AIDAEXAMPLEEXAMPLE01',
    'aws:PrincipalType': 'User',
  });
});

test('the root user is its account', () => {
  const root: RequestPrincipal = { type: 'root', accountId: '123456789012' };
  expect(Object.fromEntries(principalKeys(root))).toMatchObject({
    'aws:PrincipalArn': 'arn:aws:iam::123456789012:root',
    'aws:userid': '123456789012',
  });
  expect(principalName(root)).toBe('arn:aws:iam::123456789012:root');
});
