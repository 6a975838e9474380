import { findAccessKey } from '../find-access-key.ts';
import { identityResource, userKind } from '../identity-kinds.ts';
import type { IamOperation } from '../iam-operation.ts';
import { readIdentityName } from '../parameters.ts';

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAccessKey.html */
export const updateAccessKey: IamOperation = {
  name: 'UpdateAccessKey',
  resource: (call) => identityResource(userKind, call, readIdentityName(call, userKind)),
  async run(call) {
    const userName = readIdentityName(call, userKind);
    const accessKeyId = call.form.required('AccessKeyId', { min: 16, max: 128 });
    const status = call.form.required('Status', { pattern: /^(?:Active|Inactive)$/ });
    await call.store.update((state) => {
      const { key } = findAccessKey(state, userName, accessKeyId);
      key.status = status === 'Active' ? 'Active' : 'Inactive';
    });
    return undefined;
  },
};
