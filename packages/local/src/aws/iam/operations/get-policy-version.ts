import { documentElement, versionElements } from '../elements/policy-elements.ts';
import { findPolicy, findVersion } from '../find-policy.ts';
import type { IamOperation } from '../iam-operation.ts';
import { readPolicyArn, readVersionId } from '../parameters.ts';

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetPolicyVersion.html */
export const getPolicyVersion: IamOperation = {
  name: 'GetPolicyVersion',
  resource: ({ form }) => readPolicyArn(form),
  run({ form, store }) {
    const policy = findPolicy(store.state, readPolicyArn(form));
    const version = findVersion(policy, readVersionId(form));
    return [
      ['PolicyVersion', [documentElement('Document', version.document), ...versionElements(policy, version)]],
    ];
  },
};
