import { policyElements } from '../elements/policy-elements.ts';
import { findPolicy } from '../find-policy.ts';
import type { IamOperation } from '../iam-operation.ts';
import { readPolicyArn } from '../parameters.ts';

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetPolicy.html */
export const getPolicy: IamOperation = {
  name: 'GetPolicy',
  resource: ({ form }) => readPolicyArn(form),
  run: ({ form, store: { state } }) => [
    ['Policy', policyElements(findPolicy(state, readPolicyArn(form)), state)],
  ],
};
