import { findRole } from '../find-identity.ts';
import { identityResource, roleKind } from '../identity-kinds.ts';
import type { IamOperation } from '../iam-operation.ts';
import { readName } from '../parameters.ts';

/**
 * There are no instance profiles here. Terraform asks for them before it deletes a role.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListInstanceProfilesForRole.html
 */
export const listInstanceProfilesForRole: IamOperation = {
  name: 'ListInstanceProfilesForRole',
  resource: (call) => identityResource(roleKind, call, readName(call.form, 'RoleName')),
  run({ form, store }) {
    findRole(store.state, readName(form, 'RoleName'));
    return [
      ['InstanceProfiles', []],
      ['IsTruncated', false],
    ];
  },
};
