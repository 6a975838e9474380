import { identityResource, type IdentityKind } from '../identity-kinds.ts';
import type { IamOperation } from '../iam-operation.ts';
import { readDocument, readName } from '../parameters.ts';
import { parsePolicy } from '../policy/parse-policy.ts';
import { checkPolicySize } from '../policy/policy-size.ts';

/**
 * PutRolePolicy and PutUserPolicy. A policy of the same name is replaced.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePolicy.html
 */
export function putInlinePolicy(kind: IdentityKind): IamOperation {
  return {
    name: `Put${kind.name}Policy`,
    resource: (call) => identityResource(kind, call, readName(call.form, kind.parameter)),
    async run({ form, store }) {
      const policy = { name: readName(form, 'PolicyName'), document: readDocument(form) };
      await store.update((state) => {
        const identity = kind.find(state, readName(form, kind.parameter));
        parsePolicy(policy.document, 'identity');
        const inlinePolicies = [
          ...identity.inlinePolicies.filter(({ name }) => name !== policy.name),
          policy,
        ];
        checkPolicySize(
          inlinePolicies.map(({ document }) => document),
          { type: kind.type, name: identity.name },
        );
        identity.inlinePolicies = inlinePolicies;
      });
      return undefined;
    },
  };
}
