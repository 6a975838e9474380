import { noSuchEntity } from '../iam-error.ts';
import { identityResource, type IdentityKind } from '../identity-kinds.ts';
import type { IamOperation } from '../iam-operation.ts';
import { readName } from '../parameters.ts';

/**
 * DeleteRolePolicy and DeleteUserPolicy.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteRolePolicy.html
 */
export function deleteInlinePolicy(kind: IdentityKind): IamOperation {
  return {
    name: `Delete${kind.name}Policy`,
    resource: (call) => identityResource(kind, call, readName(call.form, kind.parameter)),
    async run({ form, store }) {
      const policyName = readName(form, 'PolicyName');
      await store.update((state) => {
        const identity = kind.find(state, readName(form, kind.parameter));
        const kept = identity.inlinePolicies.filter(({ name }) => name !== policyName);
        if (kept.length === identity.inlinePolicies.length) {
          throw noSuchEntity(`${kind.type} policy`, policyName);
        }
        identity.inlinePolicies = kept;
      });
      return undefined;
    },
  };
}
