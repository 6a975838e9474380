import { findAttachablePolicy } from '../find-policy.ts';
import { noSuchEntity } from '../iam-error.ts';
import { identityResource, type IdentityKind } from '../identity-kinds.ts';
import type { IamOperation } from '../iam-operation.ts';
import { readName, readPolicyArn } from '../parameters.ts';

/**
 * PutRolePermissionsBoundary and PutUserPermissionsBoundary.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_PutRolePermissionsBoundary.html
 */
export function putPermissionsBoundary(kind: IdentityKind): IamOperation {
  return {
    name: `Put${kind.name}PermissionsBoundary`,
    resource: (call) => identityResource(kind, call, readName(call.form, kind.parameter)),
    conditions: ({ form }) => [['iam:PermissionsBoundary', readPolicyArn(form, 'PermissionsBoundary')]],
    async run({ form, store }) {
      const arn = readPolicyArn(form, 'PermissionsBoundary');
      await store.update((state) => {
        const identity = kind.find(state, readName(form, kind.parameter));
        identity.permissionsBoundary = findAttachablePolicy(state, arn).arn;
      });
      return undefined;
    },
  };
}

/**
 * DeleteRolePermissionsBoundary and DeleteUserPermissionsBoundary.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteRolePermissionsBoundary.html
 */
export function deletePermissionsBoundary(kind: IdentityKind): IamOperation {
  return {
    name: `Delete${kind.name}PermissionsBoundary`,
    resource: (call) => identityResource(kind, call, readName(call.form, kind.parameter)),
    async run({ form, store }) {
      await store.update((state) => {
        const identity = kind.find(state, readName(form, kind.parameter));
        if (identity.permissionsBoundary === undefined) {
          throw noSuchEntity('permissions boundary of the ' + kind.type, identity.name);
        }
        delete identity.permissionsBoundary;
      });
      return undefined;
    },
  };
}
