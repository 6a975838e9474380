import { findUser } from '../find-identity.ts';
import { identityResource, userKind } from '../identity-kinds.ts';
import type { IamOperation } from '../iam-operation.ts';
import { newAccessKeyId, newSecretAccessKey } from '../ids.ts';
import { iamDate } from '../names.ts';
import { quotaExceeded, readIdentityName } from '../parameters.ts';
import type { AccessKey } from '../state/iam-state.ts';

const MOST_KEYS = 2;

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateAccessKey.html */
export const createAccessKey: IamOperation = {
  name: 'CreateAccessKey',
  resource: (call) => identityResource(userKind, call, readIdentityName(call, userKind)),
  async run(call) {
    const userName = readIdentityName(call, userKind);
    const key: AccessKey = {
      accessKeyId: newAccessKeyId('AKIA'),
      secretAccessKey: newSecretAccessKey(),
      status: 'Active',
      createDate: iamDate(),
    };
    await call.store.update((state) => {
      const { accessKeys } = findUser(state, userName);
      if (accessKeys.length >= MOST_KEYS) throw quotaExceeded('AccessKeysPerUser', MOST_KEYS);
      accessKeys.push(key);
    });
    return [
      [
        'AccessKey',
        [
          ['UserName', userName],
          ['AccessKeyId', key.accessKeyId],
          ['Status', key.status],
          ['SecretAccessKey', key.secretAccessKey],
          ['CreateDate', key.createDate],
        ],
      ],
    ];
  },
};
