import { versionElements } from '../elements/policy-elements.ts';
import { findOwnPolicy } from '../find-policy.ts';
import { IamError } from '../iam-error.ts';
import type { IamOperation } from '../iam-operation.ts';
import { iamDate } from '../names.ts';
import { readDocument, readPolicyArn } from '../parameters.ts';
import { parsePolicy } from '../policy/parse-policy.ts';
import { checkPolicySize } from '../policy/policy-size.ts';

const MOST_VERSIONS = 5;

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicyVersion.html */
export const createPolicyVersion: IamOperation = {
  name: 'CreatePolicyVersion',
  resource: ({ form }) => readPolicyArn(form),
  async run({ form, store }) {
    const arn = readPolicyArn(form);
    const document = readDocument(form);
    checkPolicySize([document], { type: 'managed' });
    parsePolicy(document, 'identity');
    return store.update((state) => {
      const policy = findOwnPolicy(state, arn);
      if (policy.versions.length >= MOST_VERSIONS) {
        throw new IamError(
          'LimitExceeded',
          `A managed policy can have up to ${MOST_VERSIONS} versions. Before you create a new version, you must delete an existing version.`,
        );
      }
      const version = { versionId: `v${policy.nextVersion++}`, document, createDate: iamDate() };
      policy.versions.unshift(version);
      if (form.boolean('SetAsDefault')) policy.defaultVersionId = version.versionId;
      policy.updateDate = version.createDate;
      return [['PolicyVersion', versionElements(policy, version)]] as const;
    });
  },
};
