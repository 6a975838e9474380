import { userElements } from '../elements/user-elements.ts';
import { findUser } from '../find-identity.ts';
import { identityResource, userKind } from '../identity-kinds.ts';
import type { IamOperation } from '../iam-operation.ts';
import { readIdentityName } from '../parameters.ts';

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetUser.html */
export const getUser: IamOperation = {
  name: 'GetUser',
  resource: (call) => identityResource(userKind, call, readIdentityName(call, userKind)),
  run: (call) => {
    const user = findUser(call.store.state, readIdentityName(call, userKind));
    return [['User', userElements(user, call.accountId)]];
  },
};
