import { findUser } from './find-identity.ts';
import { IamError } from './iam-error.ts';
import type { AccessKey, IamState, User } from './state/iam-state.ts';

/** @throws IamError NoSuchEntity */
export function findAccessKey(
  state: IamState,
  userName: string,
  accessKeyId: string,
): { user: User; key: AccessKey } {
  const user = findUser(state, userName);
  const key = user.accessKeys.find((candidate) => candidate.accessKeyId === accessKeyId);
  if (key !== undefined) return { user, key };
  throw new IamError('NoSuchEntity', `The Access Key with id ${accessKeyId} cannot be found.`);
}
