import { listElement } from '../elements/common-elements.ts';
import { listedRoleElements } from '../elements/role-elements.ts';
import type { IamOperation } from '../iam-operation.ts';
import { cutPage } from '../page.ts';
import { readPathPrefix } from '../parameters.ts';

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRoles.html */
export const listRoles: IamOperation = {
  name: 'ListRoles',
  resource: ({ form, accountId }) => `arn:aws:iam::${accountId}:role${readPathPrefix(form)}`,
  run({ form, accountId, store: { state } }) {
    const roles = state.roles.filter(({ path }) => path.startsWith(readPathPrefix(form)));
    const page = cutPage(form, roles, ({ name }) => name);
    return [
      listElement('Roles', page.items, (role) => listedRoleElements(role, state, accountId)),
      ...page.elements,
    ];
  },
};
