import { findOwnPolicy } from '../find-policy.ts';
import { IamError } from '../iam-error.ts';
import type { IamOperation } from '../iam-operation.ts';
import { readPolicyArn } from '../parameters.ts';

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeletePolicy.html */
export const deletePolicy: IamOperation = {
  name: 'DeletePolicy',
  resource: ({ form }) => readPolicyArn(form),
  async run({ form, store }) {
    const arn = readPolicyArn(form);
    await store.update((state) => {
      const policy = findOwnPolicy(state, arn);
      const isUsed = [...state.users, ...state.roles].some(
        ({ attachedPolicies, permissionsBoundary }) =>
          attachedPolicies.includes(arn) || permissionsBoundary === arn,
      );
      if (isUsed) throw new IamError('DeleteConflict', 'Cannot delete a policy attached to entities.');
      if (policy.versions.length > 1) {
        throw new IamError(
          'DeleteConflict',
          "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.",
        );
      }
      state.policies = state.policies.filter((candidate) => candidate !== policy);
    });
    return undefined;
  },
};
