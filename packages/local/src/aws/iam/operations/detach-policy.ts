import { IamError } from '../iam-error.ts';
import { identityResource, type IdentityKind } from '../identity-kinds.ts';
import type { IamOperation } from '../iam-operation.ts';
import { readName, readPolicyArn } from '../parameters.ts';

/**
 * DetachRolePolicy and DetachUserPolicy.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_DetachRolePolicy.html
 */
export function detachPolicy(kind: IdentityKind): IamOperation {
  return {
    name: `Detach${kind.name}Policy`,
    resource: (call) => identityResource(kind, call, readName(call.form, kind.parameter)),
    conditions: ({ form }) => [['iam:PolicyARN', readPolicyArn(form)]],
    async run({ form, store }) {
      const arn = readPolicyArn(form);
      await store.update((state) => {
        const identity = kind.find(state, readName(form, kind.parameter));
        if (!identity.attachedPolicies.includes(arn)) {
          throw new IamError('NoSuchEntity', `Policy ${arn} was not found.`);
        }
        identity.attachedPolicies = identity.attachedPolicies.filter((attached) => attached !== arn);
      });
      return undefined;
    },
  };
}
