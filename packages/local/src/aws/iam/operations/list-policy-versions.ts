import { listElement } from '../elements/common-elements.ts';
import { versionElements } from '../elements/policy-elements.ts';
import { findPolicy } from '../find-policy.ts';
import type { IamOperation } from '../iam-operation.ts';
import { readPolicyArn } from '../parameters.ts';

/**
 * The newest first, and always all of them: there are five at most.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListPolicyVersions.html
 */
export const listPolicyVersions: IamOperation = {
  name: 'ListPolicyVersions',
  resource: ({ form }) => readPolicyArn(form),
  run({ form, store }) {
    const policy = findPolicy(store.state, readPolicyArn(form));
    return [
      listElement('Versions', policy.versions, (version) => versionElements(policy, version)),
      ['IsTruncated', false],
    ];
  },
};
