import { findAttachablePolicy } from '../find-policy.ts';
import { identityResource, type IdentityKind } from '../identity-kinds.ts';
import type { IamOperation } from '../iam-operation.ts';
import { quotaExceeded, readName, readPolicyArn } from '../parameters.ts';

const MOST_ATTACHED = 10;

/**
 * AttachRolePolicy and AttachUserPolicy. Attaching once more changes nothing.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_AttachRolePolicy.html
 */
export function attachPolicy(kind: IdentityKind): IamOperation {
  return {
    name: `Attach${kind.name}Policy`,
    resource: (call) => identityResource(kind, call, readName(call.form, kind.parameter)),
    conditions: ({ form }) => [['iam:PolicyARN', readPolicyArn(form)]],
    async run({ form, store }) {
      const arn = readPolicyArn(form);
      await store.update((state) => {
        const { attachedPolicies } = kind.find(state, readName(form, kind.parameter));
        findAttachablePolicy(state, arn);
        if (attachedPolicies.includes(arn)) return;
        if (attachedPolicies.length >= MOST_ATTACHED) throw quotaExceeded(kind.quota, MOST_ATTACHED);
        attachedPolicies.push(arn);
      });
      return undefined;
    },
  };
}
