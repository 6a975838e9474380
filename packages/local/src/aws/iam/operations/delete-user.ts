import { findUser } from '../find-identity.ts';
import { IamError } from '../iam-error.ts';
import { checkHasNoPolicies, identityResource, userKind } from '../identity-kinds.ts';
import type { IamOperation } from '../iam-operation.ts';
import { readName } from '../parameters.ts';

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteUser.html */
export const deleteUser: IamOperation = {
  name: 'DeleteUser',
  resource: (call) => identityResource(userKind, call, readName(call.form, 'UserName')),
  async run({ form, store }) {
    await store.update((state) => {
      const user = findUser(state, readName(form, 'UserName'));
      if (user.accessKeys.length > 0) {
        throw new IamError('DeleteConflict', 'Cannot delete entity, must delete access keys first.');
      }
      checkHasNoPolicies(user);
      state.users = state.users.filter((candidate) => candidate !== user);
    });
    return undefined;
  },
};
