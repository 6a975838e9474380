import { listElement } from '../elements/common-elements.ts';
import { findUser } from '../find-identity.ts';
import { identityResource, userKind } from '../identity-kinds.ts';
import type { IamOperation } from '../iam-operation.ts';
import { cutPage } from '../page.ts';
import { readIdentityName } from '../parameters.ts';

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAccessKeys.html */
export const listAccessKeys: IamOperation = {
  name: 'ListAccessKeys',
  resource: (call) => identityResource(userKind, call, readIdentityName(call, userKind)),
  run(call) {
    const user = findUser(call.store.state, readIdentityName(call, userKind));
    const page = cutPage(call.form, user.accessKeys, ({ accessKeyId }) => accessKeyId);
    return [
      listElement('AccessKeyMetadata', page.items, ({ accessKeyId, status, createDate }) => [
        ['UserName', user.name],
        ['AccessKeyId', accessKeyId],
        ['Status', status],
        ['CreateDate', createDate],
      ]),
      ...page.elements,
    ];
  },
};
