import { realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** An operating system user, by number. It need not exist in the user database. */
export interface OsUser {
  uid: number;
  gid: number;
}

/** `nobody` on Linux; elsewhere usually unused. */
const UNPRIVILEGED: OsUser = { uid: 65534, gid: 65534 };

/**
 * The user that PostgreSQL must run as, or undefined when it can run as the current user. PostgreSQL refuses to run as
 * root (https://www.postgresql.org/docs/current/server-start.html), so root runs it as an unprivileged user.
 */
export function postgresOsUser(): OsUser | undefined {
  return process.getuid?.() === 0 ? UNPRIVILEGED : undefined;
}

/**
 * The topmost directory on the path (which may be `path` itself, or end where it does not exist yet) that `user` can't
 * pass through; undefined when there is none. Only mode bits are checked, no ACLs.
 */
export async function firstClosedDirectory(
  path: string,
  user: OsUser | undefined,
): Promise<string | undefined> {
  if (user === undefined) return undefined;
  const real = await realpath(path).catch(() => path);
  const ways = [real];
  for (let parent = dirname(real); parent !== ways[0]; parent = dirname(parent)) ways.unshift(parent);
  for (const directory of ways) {
    const found = await stat(directory).catch(() => undefined);
    if (found === undefined) return undefined;
    if (found.isDirectory() && !mayTraverse(found, user)) return directory;
  }
  return undefined;
}

function mayTraverse(directory: { uid: number; gid: number; mode: number }, user: OsUser): boolean {
  if (directory.uid === user.uid) return (directory.mode & 0o100) !== 0;
  if (directory.gid === user.gid) return (directory.mode & 0o010) !== 0;
  return (directory.mode & 0o001) !== 0;
}
