import { findOwnPolicy, findVersion } from '../find-policy.ts';
import { IamError } from '../iam-error.ts';
import type { IamOperation } from '../iam-operation.ts';
import { readPolicyArn, readVersionId } from '../parameters.ts';

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeletePolicyVersion.html */
export const deletePolicyVersion: IamOperation = {
  name: 'DeletePolicyVersion',
  resource: ({ form }) => readPolicyArn(form),
  async run({ form, store }) {
    await store.update((state) => {
      const policy = findOwnPolicy(state, readPolicyArn(form));
      const { versionId } = findVersion(policy, readVersionId(form));
      if (versionId === policy.defaultVersionId) {
        throw new IamError('DeleteConflict', 'Cannot delete the default version of a policy.');
      }
      policy.versions = policy.versions.filter((version) => version.versionId !== versionId);
    });
    return undefined;
  },
};
