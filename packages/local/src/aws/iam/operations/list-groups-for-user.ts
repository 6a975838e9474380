import { findUser } from '../find-identity.ts';
import { identityResource, userKind } from '../identity-kinds.ts';
import type { IamOperation } from '../iam-operation.ts';
import { readName } from '../parameters.ts';

/**
 * There are no groups here. Terraform asks for them before it deletes a user.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListGroupsForUser.html
 */
export const listGroupsForUser: IamOperation = {
  name: 'ListGroupsForUser',
  resource: (call) => identityResource(userKind, call, readName(call.form, 'UserName')),
  run({ form, store }) {
    findUser(store.state, readName(form, 'UserName'));
    return [
      ['Groups', []],
      ['IsTruncated', false],
    ];
  },
};
