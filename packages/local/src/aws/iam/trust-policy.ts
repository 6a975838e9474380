import { refuse } from './policy/malformed-policy-error.ts';
import { parsePolicy } from './policy/parse-policy.ts';
import { checkPolicySize } from './policy/policy-size.ts';
import type { Policy, PrincipalPattern } from './policy/policy.ts';
import { iamArn } from './names.ts';
import { parsedPolicy } from './parsed-policy.ts';
import type { Role } from './state/iam-state.ts';
import type { IamView } from './state/iam-store.ts';

/**
 * Checks a trust policy like CreateRole and UpdateAssumeRolePolicy: users and roles of this account must exist, and are
 * stored by their unique ids. Those of other accounts can't be checked here.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
 *
 * @throws MalformedPolicyDocumentError, PolicySizeExceededError
 */
export function readTrustPolicy(document: string, state: IamView, accountId: string): Role['trustPolicy'] {
  checkPolicySize([document], { type: 'trust' });
  const { statements } = parsePolicy(document, 'trust');
  const ids = idsByArn(state, accountId);
  const principalIds = new Map<string, string>();
  for (const { type, value } of statements.flatMap(({ principals }) => principals?.values ?? [])) {
    if (type === 'Service' && !/\.amazonaws\.com(?:\.cn)?$/.test(value)) refuseService(value);
    if (type !== 'AWS' || !new RegExp(`^arn:aws:iam::${accountId}:(?:user|role)/`).test(value)) continue;
    const id = ids.get(value) ?? refuse(`Invalid principal in policy: "AWS":"${value}"`);
    principalIds.set(value, id);
  }
  return { document, principalIds: [...principalIds].map(([arn, id]) => ({ arn, id })) };
}

/** The policy for evaluation: the ARNs of users and roles are replaced by their unique ids. */
export function trustPolicyOf({ trustPolicy }: IamView['roles'][number]): Policy {
  const policy = parsedPolicy(trustPolicy.document, 'trust');
  if (trustPolicy.principalIds.length === 0) return policy;
  const ids = new Map(trustPolicy.principalIds.map(({ arn, id }) => [arn, id]));
  const byId = (pattern: PrincipalPattern) => ({
    ...pattern,
    value: ids.get(pattern.value) ?? pattern.value,
  });
  return {
    ...policy,
    statements: policy.statements.map((statement) => ({
      ...statement,
      principals: statement.principals && {
        ...statement.principals,
        values: statement.principals.values.map(byId),
      },
    })),
  };
}

/** The document as GetRole shows it: a deleted user or role appears as its unique id. */
export function shownTrustPolicy(
  { trustPolicy }: IamView['roles'][number],
  state: IamView,
  accountId: string,
): string {
  const ids = idsByArn(state, accountId);
  return trustPolicy.principalIds
    .filter(({ arn, id }) => ids.get(arn) !== id)
    .reduce(
      (text, { arn, id }) => text.replaceAll(JSON.stringify(arn), JSON.stringify(id)),
      trustPolicy.document,
    );
}

function idsByArn(state: IamView, accountId: string): ReadonlyMap<string, string> {
  return new Map([
    ...state.users.map((user) => [iamArn(accountId, 'user', user), user.id] as const),
    ...state.roles.map((role) => [iamArn(accountId, 'role', role), role.id] as const),
  ]);
}

function refuseService(name: string): never {
  return refuse(`Invalid principal in policy: "SERVICE":"${name}"`);
}
