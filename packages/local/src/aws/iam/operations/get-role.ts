import { roleElements } from '../elements/role-elements.ts';
import { identityResource, roleKind } from '../identity-kinds.ts';
import type { IamOperation } from '../iam-operation.ts';
import { findRole } from '../find-identity.ts';
import { readName } from '../parameters.ts';

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRole.html */
export const getRole: IamOperation = {
  name: 'GetRole',
  resource: (call) => identityResource(roleKind, call, readName(call.form, 'RoleName')),
  run: ({ form, accountId, store: { state } }) => [
    ['Role', roleElements(findRole(state, readName(form, 'RoleName')), state, accountId)],
  ],
};
