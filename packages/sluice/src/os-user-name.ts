import { userInfo } from 'node:os';

/** Whom PostgreSQL's programs log in as when nobody is named: not USER, which need not be there. */
export function osUserName(): string | undefined {
  try {
    return userInfo().username;
  } catch {
    // A user whom the system has no name for.
    return undefined;
  }
}
