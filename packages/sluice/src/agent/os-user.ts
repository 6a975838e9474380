import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { SluiceError } from '../errors.ts';

const run = promisify(execFile);

export interface OsUser {
  uid: number;
  gid: number;
}

/**
 * The user that PostgreSQL runs as, given by name or number. Only root can give the socket and the pipes to another
 * user than the agent's own.
 *
 * @returns undefined when it is the agent's own user
 * @throws SluiceError `config_invalid`
 */
export async function resolvePostgresUser(name: string | undefined): Promise<OsUser | undefined> {
  if (name === undefined) return undefined;
  const user = /^\d+$/.test(name) ? { uid: Number(name), gid: Number(name) } : await lookUp(name);
  const own = process.getuid?.();
  if (own === user.uid) return undefined;
  if (own !== 0) {
    throw new SluiceError('config_invalid', `the agent cannot serve a PostgreSQL that runs as "${name}"`, {
      detail: `The agent runs as user ${own}, which cannot hand its socket and pipes to user ${user.uid}.`,
      hint: `Run the agent as "${name}" and leave agent.postgres_os_user out, or run it as root.`,
    });
  }
  return user;
}

async function lookUp(name: string): Promise<OsUser> {
  try {
    const [uid, gid] = await Promise.all([run('id', ['-u', '--', name]), run('id', ['-g', '--', name])]);
    return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
  } catch (error) {
    throw new SluiceError('config_invalid', `agent.postgres_os_user: there is no user "${name}"`, {
      cause: error,
    });
  }
}
