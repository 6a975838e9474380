import { listElement } from '../elements/common-elements.ts';
import { listedUserElements } from '../elements/user-elements.ts';
import type { IamOperation } from '../iam-operation.ts';
import { cutPage } from '../page.ts';
import { readPathPrefix } from '../parameters.ts';

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListUsers.html */
export const listUsers: IamOperation = {
  name: 'ListUsers',
  resource: ({ form, accountId }) => `arn:aws:iam::${accountId}:user${readPathPrefix(form)}`,
  run({ form, accountId, store: { state } }) {
    const users = state.users.filter(({ path }) => path.startsWith(readPathPrefix(form)));
    const page = cutPage(form, users, ({ name }) => name);
    return [
      listElement('Users', page.items, (user) => listedUserElements(user, accountId)),
      ...page.elements,
    ];
  },
};
