import { findRole } from '../find-identity.ts';
import { identityResource, roleKind } from '../identity-kinds.ts';
import type { IamOperation } from '../iam-operation.ts';
import { readDocument, readName } from '../parameters.ts';
import { readTrustPolicy } from '../trust-policy.ts';

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAssumeRolePolicy.html */
export const updateAssumeRolePolicy: IamOperation = {
  name: 'UpdateAssumeRolePolicy',
  resource: (call) => identityResource(roleKind, call, readName(call.form, 'RoleName')),
  async run({ form, accountId, store }) {
    const document = readDocument(form);
    await store.update((state) => {
      const role = findRole(state, readName(form, 'RoleName'));
      role.trustPolicy = readTrustPolicy(document, state, accountId);
    });
    return undefined;
  },
};
