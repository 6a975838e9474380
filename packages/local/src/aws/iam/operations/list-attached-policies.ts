import { listElement } from '../elements/common-elements.ts';
import { lookUpPolicy } from '../find-policy.ts';
import { identityResource, type IdentityKind } from '../identity-kinds.ts';
import type { IamOperation } from '../iam-operation.ts';
import { cutPage } from '../page.ts';
import { readName, readPathPrefix } from '../parameters.ts';

/**
 * ListAttachedRolePolicies and ListAttachedUserPolicies.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAttachedRolePolicies.html
 */
export function listAttachedPolicies(kind: IdentityKind): IamOperation {
  return {
    name: `ListAttached${kind.name}Policies`,
    resource: (call) => identityResource(kind, call, readName(call.form, kind.parameter)),
    run({ form, store: { state } }) {
      const { attachedPolicies } = kind.view(state, readName(form, kind.parameter));
      const policies = attachedPolicies
        .flatMap((arn) => lookUpPolicy(state, arn) ?? [])
        .filter(({ path }) => path.startsWith(readPathPrefix(form)));
      const page = cutPage(form, policies, ({ arn }) => arn);
      return [
        listElement('AttachedPolicies', page.items, ({ name, arn }) => [
          ['PolicyName', name],
          ['PolicyArn', arn],
        ]),
        ...page.elements,
      ];
    },
  };
}
