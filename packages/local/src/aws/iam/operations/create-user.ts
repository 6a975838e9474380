import { userElements } from '../elements/user-elements.ts';
import { findAttachablePolicy } from '../find-policy.ts';
import { IamError } from '../iam-error.ts';
import type { IamOperation } from '../iam-operation.ts';
import { newUniqueId } from '../ids.ts';
import { iamArn, iamDate } from '../names.ts';
import { readBoundary, readName, readPath, readTags } from '../parameters.ts';
import type { User } from '../state/iam-state.ts';

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateUser.html */
export const createUser: IamOperation = {
  name: 'CreateUser',
  resource: ({ form, accountId }) =>
    iamArn(accountId, 'user', { path: readPath(form), name: readName(form, 'UserName') }),
  conditions({ form }) {
    const arn = readBoundary(form);
    return arn === undefined ? [] : [['iam:PermissionsBoundary', arn]];
  },
  async run({ form, accountId, store }) {
    const name = readName(form, 'UserName');
    const permissionsBoundary = readBoundary(form);
    const user: User = {
      name,
      path: readPath(form),
      id: newUniqueId('AIDA'),
      createDate: iamDate(),
      tags: readTags(form),
      attachedPolicies: [],
      inlinePolicies: [],
      ...(permissionsBoundary !== undefined && { permissionsBoundary }),
      accessKeys: [],
    };
    await store.update((state) => {
      if (permissionsBoundary !== undefined) findAttachablePolicy(state, permissionsBoundary);
      if (state.users.some((existing) => existing.name.toLowerCase() === name.toLowerCase())) {
        throw new IamError('EntityAlreadyExists', `User with name ${name} already exists.`);
      }
      state.users.push(user);
    });
    return [['User', userElements(user, accountId)]];
  },
};
