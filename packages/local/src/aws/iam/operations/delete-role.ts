import { findRole } from '../find-identity.ts';
import { checkHasNoPolicies, identityResource, roleKind } from '../identity-kinds.ts';
import type { IamOperation } from '../iam-operation.ts';
import { readName } from '../parameters.ts';

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteRole.html */
export const deleteRole: IamOperation = {
  name: 'DeleteRole',
  resource: (call) => identityResource(roleKind, call, readName(call.form, 'RoleName')),
  async run({ form, store }) {
    await store.update((state) => {
      const role = findRole(state, readName(form, 'RoleName'));
      checkHasNoPolicies(role);
      state.roles = state.roles.filter((candidate) => candidate !== role);
    });
    return undefined;
  },
};
