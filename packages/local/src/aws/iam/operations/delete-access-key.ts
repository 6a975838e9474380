import { findAccessKey } from '../find-access-key.ts';
import { identityResource, userKind } from '../identity-kinds.ts';
import type { IamOperation } from '../iam-operation.ts';
import { readIdentityName } from '../parameters.ts';

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteAccessKey.html */
export const deleteAccessKey: IamOperation = {
  name: 'DeleteAccessKey',
  resource: (call) => identityResource(userKind, call, readIdentityName(call, userKind)),
  async run(call) {
    const userName = readIdentityName(call, userKind);
    const accessKeyId = call.form.required('AccessKeyId', { min: 16, max: 128 });
    await call.store.update((state) => {
      const { user, key } = findAccessKey(state, userName, accessKeyId);
      user.accessKeys = user.accessKeys.filter((candidate) => candidate !== key);
    });
    return undefined;
  },
};
