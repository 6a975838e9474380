import { listElement } from '../elements/common-elements.ts';
import { findPolicy } from '../find-policy.ts';
import type { IdentityView } from '../identity-kinds.ts';
import type { IamOperation } from '../iam-operation.ts';
import { readPathPrefix, readPolicyArn } from '../parameters.ts';

/**
 * Always all of them.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListEntitiesForPolicy.html
 */
export const listEntitiesForPolicy: IamOperation = {
  name: 'ListEntitiesForPolicy',
  resource: ({ form }) => readPolicyArn(form),
  run({ form, store: { state } }) {
    const { arn } = findPolicy(state, readPolicyArn(form));
    const filter = form.optional('EntityFilter');
    const asBoundary = form.optional('PolicyUsageFilter') === 'PermissionsBoundary';
    const uses = (identity: IdentityView) =>
      identity.path.startsWith(readPathPrefix(form)) &&
      (asBoundary ? identity.permissionsBoundary === arn : identity.attachedPolicies.includes(arn));
    const users = filter === undefined || filter === 'User' ? state.users.filter(uses) : [];
    const roles = filter === undefined || filter === 'Role' ? state.roles.filter(uses) : [];
    return [
      ['PolicyGroups', []],
      listElement('PolicyUsers', users, ({ name, id }) => [
        ['UserName', name],
        ['UserId', id],
      ]),
      listElement('PolicyRoles', roles, ({ name, id }) => [
        ['RoleName', name],
        ['RoleId', id],
      ]),
      ['IsTruncated', false],
    ];
  },
};
