import { tagList } from '../elements/common-elements.ts';
import { findOwnPolicy, findPolicy } from '../find-policy.ts';
import type { IamOperation } from '../iam-operation.ts';
import { mergeTags, readPolicyArn, readTags } from '../parameters.ts';

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_TagPolicy.html */
export const tagPolicy: IamOperation = {
  name: 'TagPolicy',
  resource: ({ form }) => readPolicyArn(form),
  async run({ form, store }) {
    await store.update((state) => {
      const policy = findOwnPolicy(state, readPolicyArn(form));
      policy.tags = mergeTags(policy.tags, readTags(form));
    });
    return undefined;
  },
};

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_UntagPolicy.html */
export const untagPolicy: IamOperation = {
  name: 'UntagPolicy',
  resource: ({ form }) => readPolicyArn(form),
  async run({ form, store }) {
    await store.update((state) => {
      const policy = findOwnPolicy(state, readPolicyArn(form));
      const keys = form.list('TagKeys');
      policy.tags = policy.tags.filter(({ key }) => !keys.includes(key));
    });
    return undefined;
  },
};

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListPolicyTags.html */
export const listPolicyTags: IamOperation = {
  name: 'ListPolicyTags',
  resource: ({ form }) => readPolicyArn(form),
  run: ({ form, store }) => [
    tagList(findPolicy(store.state, readPolicyArn(form)).tags),
    ['IsTruncated', false],
  ],
};
