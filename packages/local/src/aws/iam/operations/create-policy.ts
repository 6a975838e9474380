import { policyElements } from '../elements/policy-elements.ts';
import type { IamOperation } from '../iam-operation.ts';
import { IamError } from '../iam-error.ts';
import { newUniqueId } from '../ids.ts';
import { iamArn, iamDate } from '../names.ts';
import { readDescription, readDocument, readName, readPath, readTags } from '../parameters.ts';
import { parsePolicy } from '../policy/parse-policy.ts';
import { checkPolicySize } from '../policy/policy-size.ts';
import type { ManagedPolicy } from '../state/iam-state.ts';

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicy.html */
export const createPolicy: IamOperation = {
  name: 'CreatePolicy',
  resource: ({ form, accountId }) =>
    iamArn(accountId, 'policy', { path: readPath(form), name: readName(form, 'PolicyName') }),
  async run({ form, accountId, store }) {
    const [name, path] = [readName(form, 'PolicyName'), readPath(form)];
    const document = readDocument(form);
    const description = readDescription(form);
    const tags = readTags(form);
    checkPolicySize([document], { type: 'managed' });
    parsePolicy(document, 'identity');
    const createDate = iamDate();
    const policy: ManagedPolicy = {
      name,
      path,
      id: newUniqueId('ANPA'),
      arn: iamArn(accountId, 'policy', { path, name }),
      ...(description !== undefined && { description }),
      createDate,
      updateDate: createDate,
      defaultVersionId: 'v1',
      versions: [{ versionId: 'v1', document, createDate }],
      nextVersion: 2,
      tags,
    };
    await store.update(({ policies }) => {
      if (policies.some((existing) => existing.name.toLowerCase() === name.toLowerCase())) {
        throw new IamError(
          'EntityAlreadyExists',
          `A policy called ${name} already exists. Duplicate names are not allowed.`,
        );
      }
      policies.push(policy);
    });
    return [['Policy', policyElements(policy, store.state)]];
  },
};
