import { noSuchEntity } from './iam-error.ts';

/** From the state or from a draft of it. @throws IamError NoSuchEntity */
export function findRole<Role extends { readonly name: string }>(
  { roles }: { readonly roles: readonly Role[] },
  name: string,
): Role {
  const role = roles.find((candidate) => candidate.name === name);
  if (role === undefined) throw noSuchEntity('role', name);
  return role;
}

/** From the state or from a draft of it. @throws IamError NoSuchEntity */
export function findUser<User extends { readonly name: string }>(
  { users }: { readonly users: readonly User[] },
  name: string,
): User {
  const user = users.find((candidate) => candidate.name === name);
  if (user === undefined) throw noSuchEntity('user', name);
  return user;
}
