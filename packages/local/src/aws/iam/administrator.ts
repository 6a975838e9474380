import { awsManagedArn } from './aws-managed-policies.ts';
import { newUniqueId } from './ids.ts';
import { iamDate } from './names.ts';
import type { IamState, User } from './state/iam-state.ts';

/** An access key that is made outside of IAM. */
export interface AccessKeyPair {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** The administrator is a user, because the root user may not assume roles. */
const ADMINISTRATOR_NAME = 'local-admin';

/**
 * Gives the account an administrator with this key. Called at every start, so that an administrator whose policy or key
 * was removed works again after a restart.
 */
export function ensureAdministrator(state: IamState, { accessKeyId, secretAccessKey }: AccessKeyPair): void {
  const createDate = iamDate();
  let user = state.users.find(({ name }) => name === ADMINISTRATOR_NAME);
  if (user === undefined) {
    user = newUser(createDate);
    state.users.push(user);
  }
  const arn = awsManagedArn('AdministratorAccess');
  if (!user.attachedPolicies.includes(arn)) user.attachedPolicies.push(arn);
  const key = user.accessKeys.find((candidate) => candidate.accessKeyId === accessKeyId);
  const others = user.accessKeys.filter((candidate) => candidate !== key);
  user.accessKeys = [
    { accessKeyId, secretAccessKey, status: 'Active', createDate: key?.createDate ?? createDate },
    ...others,
  ];
}

function newUser(createDate: string): User {
  return {
    name: ADMINISTRATOR_NAME,
    path: '/',
    id: newUniqueId('AIDA'),
    createDate,
    tags: [],
    attachedPolicies: [],
    inlinePolicies: [],
    accessKeys: [],
  };
}
