import { SigV4Error } from 'sluice/aws-protocol';
import type { AwsCredentials, CredentialLookup } from '../identity.ts';
import { openSession, type Session } from '../sts/session-token.ts';
import { managedPolicy } from './authorize-with-iam.ts';
import { assumedRoleArn, iamArn } from './names.ts';
import { parsedPolicy } from './parsed-policy.ts';
import type { RequestPrincipal } from './policy/request-principal.ts';
import type { IamStore, IamView } from './state/iam-store.ts';

/** Finds long-term keys of users in the state, and temporary keys in their session tokens. */
export function lookUpCredentials(store: IamStore, accountId: string): CredentialLookup {
  return (accessKeyId, sessionToken) =>
    accessKeyId.startsWith('ASIA')
      ? sessionCredentials(store.state, accountId, accessKeyId, sessionToken)
      : userCredentials(store.state, accountId, accessKeyId);
}

function userCredentials(state: IamView, accountId: string, accessKeyId: string): AwsCredentials | undefined {
  for (const user of state.users) {
    const key = user.accessKeys.find((candidate) => candidate.accessKeyId === accessKeyId);
    if (key === undefined) continue;
    if (key.status === 'Inactive') return undefined;
    return { secretAccessKey: key.secretAccessKey, principal: userPrincipal(accountId, user) };
  }
  return undefined;
}

function sessionCredentials(
  state: IamView,
  accountId: string,
  accessKeyId: string,
  sessionToken: string | undefined,
): AwsCredentials | undefined {
  if (sessionToken === undefined || sessionToken === '') return undefined;
  const session = openSession(sessionToken, state.tokenKey);
  if (session?.accessKeyId !== accessKeyId) {
    throw new SigV4Error('wrong-token', 'The provided token is malformed or otherwise invalid.', {
      details: { 'Token-0': sessionToken },
    });
  }
  // When its user or role was deleted, the session has ended.
  const principal = sessionPrincipal(state, accountId, session);
  return (
    principal && {
      secretAccessKey: session.secretAccessKey,
      sessionToken,
      expiresAt: new Date(session.expiresAtMs),
      principal,
      ...sessionPolicies(state, session),
      conditions: new Map(
        session.sourceIdentity === undefined ? [] : [['aws:SourceIdentity', session.sourceIdentity]],
      ),
    }
  );
}

function sessionPrincipal(
  state: IamView,
  accountId: string,
  { of, issuedAtMs, tags }: Session,
): RequestPrincipal | undefined {
  switch (of.type) {
    case 'root':
      return { type: 'root', accountId };
    case 'user': {
      const user = state.users.find(({ id }) => id === of.id);
      return user && userPrincipal(accountId, user);
    }
    case 'role': {
      const role = state.roles.find(({ id }) => id === of.id);
      return (
        role && {
          type: 'role-session',
          accountId,
          arn: assumedRoleArn(accountId, role.name, of.sessionName),
          roleArn: iamArn(accountId, 'role', role),
          roleId: role.id,
          sessionName: of.sessionName,
          issuedAt: new Date(issuedAtMs),
          tags: { ...tagRecord(role.tags), ...tags },
        }
      );
    }
    default:
      return of satisfies never;
  }
}

/** A session without session policies is not limited. A session policy that was deleted since allows nothing. */
function sessionPolicies(
  state: IamView,
  { policies, policyArns }: Session,
): Pick<AwsCredentials, 'sessionPolicies'> {
  if (policies.length + policyArns.length === 0) return {};
  const inline = policies.map((document, index) => ({
    name: `session policy ${index + 1}`,
    policy: parsedPolicy(document, 'identity'),
  }));
  const managed = policyArns.map((arn) => managedPolicy(state, arn) ?? { name: arn, policy: NOTHING });
  return { sessionPolicies: [...inline, ...managed] };
}

const NOTHING = { kind: 'identity', version: '2012-10-17', statements: [] } as const;

function userPrincipal(accountId: string, user: IamView['users'][number]): RequestPrincipal {
  return {
    type: 'user',
    accountId,
    arn: iamArn(accountId, 'user', user),
    userId: user.id,
    tags: tagRecord(user.tags),
  };
}

function tagRecord(tags: IamView['users'][number]['tags']): Record<string, string> {
  return Object.fromEntries(tags.map(({ key, value }) => [key, value]));
}
