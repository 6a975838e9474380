import { roleKind, userKind, type IdentityKind } from '../identity-kinds.ts';
import type { IamOperation } from '../iam-operation.ts';
import { attachPolicy } from './attach-policy.ts';
import { createAccessKey } from './create-access-key.ts';
import { createPolicy } from './create-policy.ts';
import { createPolicyVersion } from './create-policy-version.ts';
import { createRole } from './create-role.ts';
import { createUser } from './create-user.ts';
import { deleteAccessKey } from './delete-access-key.ts';
import { deleteInlinePolicy } from './delete-inline-policy.ts';
import { deletePolicy } from './delete-policy.ts';
import { deletePolicyVersion } from './delete-policy-version.ts';
import { deleteRole } from './delete-role.ts';
import { deleteUser } from './delete-user.ts';
import { detachPolicy } from './detach-policy.ts';
import { getInlinePolicy } from './get-inline-policy.ts';
import { getPolicy } from './get-policy.ts';
import { getPolicyVersion } from './get-policy-version.ts';
import { getRole } from './get-role.ts';
import { getUser } from './get-user.ts';
import { listIdentityTags, tagIdentity, untagIdentity } from './identity-tags.ts';
import { listAccessKeys } from './list-access-keys.ts';
import { listAttachedPolicies } from './list-attached-policies.ts';
import { listEntitiesForPolicy } from './list-entities-for-policy.ts';
import { listGroupsForUser } from './list-groups-for-user.ts';
import { listInlinePolicies } from './list-inline-policies.ts';
import { listInstanceProfilesForRole } from './list-instance-profiles-for-role.ts';
import { listPolicies } from './list-policies.ts';
import { listPolicyVersions } from './list-policy-versions.ts';
import { listRoles } from './list-roles.ts';
import { listUsers } from './list-users.ts';
import { deletePermissionsBoundary, putPermissionsBoundary } from './permissions-boundary.ts';
import { listPolicyTags, tagPolicy, untagPolicy } from './policy-tags.ts';
import { putInlinePolicy } from './put-inline-policy.ts';
import { setDefaultPolicyVersion } from './set-default-policy-version.ts';
import { updateAccessKey } from './update-access-key.ts';
import { updateAssumeRolePolicy } from './update-assume-role-policy.ts';
import { updateRole } from './update-role.ts';

/** Every operation that is implemented. */
export const operations: readonly IamOperation[] = [
  createPolicy,
  getPolicy,
  listPolicies,
  deletePolicy,
  createPolicyVersion,
  getPolicyVersion,
  listPolicyVersions,
  setDefaultPolicyVersion,
  deletePolicyVersion,
  listEntitiesForPolicy,
  tagPolicy,
  untagPolicy,
  listPolicyTags,

  createRole,
  getRole,
  listRoles,
  updateRole,
  updateAssumeRolePolicy,
  deleteRole,
  listInstanceProfilesForRole,
  ...ofEach(roleKind),

  createUser,
  getUser,
  listUsers,
  deleteUser,
  createAccessKey,
  listAccessKeys,
  updateAccessKey,
  deleteAccessKey,
  listGroupsForUser,
  ...ofEach(userKind),
];

/** The operations that exist for users and for roles. */
function ofEach(kind: IdentityKind): IamOperation[] {
  return [
    attachPolicy(kind),
    detachPolicy(kind),
    listAttachedPolicies(kind),
    putInlinePolicy(kind),
    getInlinePolicy(kind),
    listInlinePolicies(kind),
    deleteInlinePolicy(kind),
    putPermissionsBoundary(kind),
    deletePermissionsBoundary(kind),
    tagIdentity(kind),
    untagIdentity(kind),
    listIdentityTags(kind),
  ];
}
