import { listElement } from '../elements/common-elements.ts';
import { identityResource, type IdentityKind } from '../identity-kinds.ts';
import type { IamOperation } from '../iam-operation.ts';
import { cutPage } from '../page.ts';
import { readName } from '../parameters.ts';

/**
 * ListRolePolicies and ListUserPolicies.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRolePolicies.html
 */
export function listInlinePolicies(kind: IdentityKind): IamOperation {
  return {
    name: `List${kind.name}Policies`,
    resource: (call) => identityResource(kind, call, readName(call.form, kind.parameter)),
    run({ form, store }) {
      const { inlinePolicies } = kind.view(store.state, readName(form, kind.parameter));
      const page = cutPage(form, inlinePolicies, ({ name }) => name);
      return [listElement('PolicyNames', page.items, ({ name }) => name), ...page.elements];
    },
  };
}
