import type { ConditionEntries } from './condition-context.ts';

/** Who makes a request. */
export type RequestPrincipal =
  | AccountRoot
  | IamUser
  | RoleSession
  | ServicePrincipal
  | FederatedPrincipal
  | { readonly type: 'anonymous' };

interface AccountMember {
  readonly accountId: string;
  /** S3's name for the account, 64 hexadecimal digits. */
  readonly canonicalUserId?: string | undefined;
}

export interface AccountRoot extends AccountMember {
  readonly type: 'root';
}

export interface IamUser extends AccountMember {
  readonly type: 'user';
  /** @example 'arn:aws:iam::123456789012:user/developer' */
  readonly arn: string;
  /** @example 'AIDACKCEVSQ6C2EXAMPLE' */
  readonly userId: string;
  readonly tags?: Readonly<Record<string, string>> | undefined;
}

export interface RoleSession extends AccountMember {
  readonly type: 'role-session';
  /** @example 'arn:aws:sts::123456789012:assumed-role/rds-s3-export-role/session' */
  readonly arn: string;
  /** @example 'arn:aws:iam::123456789012:role/rds-s3-export-role' */
  readonly roleArn: string;
  /** @example 'AROACKCEVSQ6C2EXAMPLE' */
  readonly roleId: string;
  readonly sessionName: string;
  readonly issuedAt?: Date | undefined;
  /** The role's tags and the session's. */
  readonly tags?: Readonly<Record<string, string>> | undefined;
}

/** An AWS service that acts for itself, e.g. `rds.amazonaws.com`. */
export interface ServicePrincipal {
  readonly type: 'service';
  readonly name: string;
}

/** A user of an identity provider, before AssumeRoleWithWebIdentity or AssumeRoleWithSAML. */
export interface FederatedPrincipal {
  readonly type: 'federated';
  /** An ARN of a provider, or its domain. */
  readonly provider: string;
}

/** The principal's name in AWS's error messages. */
export function principalName(principal: RequestPrincipal): string {
  switch (principal.type) {
    case 'root':
      return rootArn(principal.accountId);
    case 'user':
    case 'role-session':
      return principal.arn;
    case 'service':
      return principal.name;
    case 'federated':
      return principal.provider;
    case 'anonymous':
      return 'anonymous';
    default:
      return principal satisfies never;
  }
}

export function rootArn(accountId: string): string {
  return `arn:aws:iam::${accountId}:root`;
}

/**
 * The condition keys that follow from the principal. In a role session, `aws:PrincipalArn` is the ARN of the role.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#principaltable
 */
export function principalKeys(principal: RequestPrincipal): ConditionEntries {
  switch (principal.type) {
    case 'root':
      return [
        ...accountKeys(principal, rootArn(principal.accountId), 'Account'),
        ['aws:userid', principal.accountId],
      ];
    case 'user':
      return [
        ...accountKeys(principal, principal.arn, 'User'),
        ['aws:userid', principal.userId],
        ['aws:username', principal.arn.slice(principal.arn.lastIndexOf('/') + 1)],
        ...tagKeys(principal.tags),
      ];
    case 'role-session':
      return [
        ...accountKeys(principal, principal.roleArn, 'AssumedRole'),
        ['aws:userid', `${principal.roleId}:${principal.sessionName}`],
        ...(principal.issuedAt ? [['aws:TokenIssueTime', principal.issuedAt.toISOString()] as const] : []),
        ...tagKeys(principal.tags),
      ];
    case 'service':
      return [
        ['aws:PrincipalIsAWSService', 'true'],
        ['aws:PrincipalServiceName', principal.name],
        ['aws:PrincipalServiceNamesList', [principal.name]],
      ];
    case 'federated':
      return [['aws:FederatedProvider', principal.provider]];
    case 'anonymous':
      return [
        ['aws:PrincipalType', 'Anonymous'],
        ['aws:userid', 'anonymous'],
      ];
    default:
      return principal satisfies never;
  }
}

type Entry = readonly [key: string, value: string];

function accountKeys({ accountId }: AccountMember, arn: string, type: string): Entry[] {
  return [
    ['aws:PrincipalAccount', accountId],
    ['aws:PrincipalArn', arn],
    ['aws:PrincipalIsAWSService', 'false'],
    ['aws:PrincipalType', type],
  ];
}

function tagKeys(tags: Readonly<Record<string, string>> = {}): Entry[] {
  return Object.entries(tags).map(([name, value]) => [`aws:PrincipalTag/${name}`, value]);
}
