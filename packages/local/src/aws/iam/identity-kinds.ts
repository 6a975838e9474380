import { findRole, findUser } from './find-identity.ts';
import { IamError } from './iam-error.ts';
import { iamArn } from './names.ts';
import type { IamCall } from './iam-operation.ts';
import type { IamState, Role, User } from './state/iam-state.ts';
import type { IamView } from './state/iam-store.ts';

export type IdentityView = IamView['users'][number] | IamView['roles'][number];

/**
 * What differs between users and roles. They have much in common (policies, tags, a boundary), so their operations are
 * generated for both from the same code.
 */
export interface IdentityKind {
  /** As in the names of operations. */
  readonly name: 'User' | 'Role';
  /** As in ARNs and messages. */
  readonly type: 'user' | 'role';
  readonly parameter: 'UserName' | 'RoleName';
  /** The quota of attached policies. */
  readonly quota: string;
  /** Finds one to read it. @throws IamError NoSuchEntity */
  readonly view: (state: IamView, name: string) => IdentityView;
  /** Finds one to change it. @throws IamError NoSuchEntity */
  readonly find: (draft: IamState, name: string) => User | Role;
}

export const userKind: IdentityKind = {
  name: 'User',
  type: 'user',
  parameter: 'UserName',
  quota: 'PoliciesPerUser',
  view: findUser,
  find: findUser,
};

export const roleKind: IdentityKind = {
  name: 'Role',
  type: 'role',
  parameter: 'RoleName',
  quota: 'PoliciesPerRole',
  view: findRole,
  find: findRole,
};

/** The resource of a permission. If the user or role does not exist, its path is unknown, so there is no ARN. */
export function identityResource({ type }: IdentityKind, call: IamCall, name: string): string {
  const { users, roles } = call.store.state;
  const found = (type === 'user' ? users : roles).find((identity) => identity.name === name);
  return found === undefined ? `${type} ${name}` : iamArn(call.accountId, type, found);
}

/** Called before a user or role is deleted. @throws IamError DeleteConflict */
export function checkHasNoPolicies({ attachedPolicies, inlinePolicies }: User | Role): void {
  if (attachedPolicies.length > 0) {
    throw new IamError('DeleteConflict', 'Cannot delete entity, must detach all policies first.');
  }
  if (inlinePolicies.length > 0) {
    throw new IamError('DeleteConflict', 'Cannot delete entity, must delete policies first.');
  }
}
