import { documentElement } from '../elements/policy-elements.ts';
import { noSuchEntity } from '../iam-error.ts';
import { identityResource, type IdentityKind } from '../identity-kinds.ts';
import type { IamOperation } from '../iam-operation.ts';
import { readName } from '../parameters.ts';

/**
 * GetRolePolicy and GetUserPolicy.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRolePolicy.html
 */
export function getInlinePolicy(kind: IdentityKind): IamOperation {
  return {
    name: `Get${kind.name}Policy`,
    resource: (call) => identityResource(kind, call, readName(call.form, kind.parameter)),
    run({ form, store }) {
      const policyName = readName(form, 'PolicyName');
      const identity = kind.view(store.state, readName(form, kind.parameter));
      const policy = identity.inlinePolicies.find(({ name }) => name === policyName);
      if (policy === undefined) throw noSuchEntity(`${kind.type} policy`, policyName);
      return [
        [kind.parameter, identity.name],
        ['PolicyName', policyName],
        documentElement('PolicyDocument', policy.document),
      ];
    },
  };
}
