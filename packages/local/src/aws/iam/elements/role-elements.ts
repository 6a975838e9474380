import { uriEncode, type XmlElement } from 'sluice/aws-protocol';
import { iamArn } from '../names.ts';
import type { IamView } from '../state/iam-store.ts';
import { shownTrustPolicy } from '../trust-policy.ts';
import { boundaryElements, tagElements } from './common-elements.ts';

type RoleView = IamView['roles'][number];

/** A role in lists. https://docs.aws.amazon.com/IAM/latest/APIReference/API_Role.html */
export function listedRoleElements(role: RoleView, state: IamView, accountId: string): XmlElement[] {
  return [
    ['Path', role.path],
    ['RoleName', role.name],
    ['RoleId', role.id],
    ['Arn', iamArn(accountId, 'role', role)],
    ['CreateDate', role.createDate],
    ['AssumeRolePolicyDocument', uriEncode(shownTrustPolicy(role, state, accountId))],
    ['Description', role.description],
    ['MaxSessionDuration', role.maxSessionSeconds],
  ];
}

/** A role with all that is known of it. */
export function roleElements(role: RoleView, state: IamView, accountId: string): XmlElement[] {
  return [
    ...listedRoleElements(role, state, accountId),
    ...boundaryElements(role),
    ...tagElements(role.tags),
    ['RoleLastUsed', ''],
  ];
}
