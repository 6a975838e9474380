import { findOwnPolicy, findVersion } from '../find-policy.ts';
import type { IamOperation } from '../iam-operation.ts';
import { readPolicyArn, readVersionId } from '../parameters.ts';

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_SetDefaultPolicyVersion.html */
export const setDefaultPolicyVersion: IamOperation = {
  name: 'SetDefaultPolicyVersion',
  resource: ({ form }) => readPolicyArn(form),
  async run({ form, store }) {
    await store.update((state) => {
      const policy = findOwnPolicy(state, readPolicyArn(form));
      policy.defaultVersionId = findVersion(policy, readVersionId(form)).versionId;
    });
    return undefined;
  },
};
