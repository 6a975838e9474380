import { findRole } from '../find-identity.ts';
import { identityResource, roleKind } from '../identity-kinds.ts';
import type { IamOperation } from '../iam-operation.ts';
import { readDescription, readMaxSession, readName } from '../parameters.ts';

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateRole.html */
export const updateRole: IamOperation = {
  name: 'UpdateRole',
  resource: (call) => identityResource(roleKind, call, readName(call.form, 'RoleName')),
  async run({ form, store }) {
    const description = readDescription(form);
    const maxSessionSeconds = readMaxSession(form);
    await store.update((state) => {
      const role = findRole(state, readName(form, 'RoleName'));
      if (description !== undefined) role.description = description;
      if (maxSessionSeconds !== undefined) role.maxSessionSeconds = maxSessionSeconds;
    });
    return [];
  },
};
