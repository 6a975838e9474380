import { chmod, chown, lstat, mkdir } from 'node:fs/promises';
import { SluiceError } from '../errors.ts';
import type { OsUser } from './os-user.ts';

/**
 * Makes a directory that only its owner (the agent's own user, or `owner`) can enter. An existing directory is refused
 * if it belongs to another user, who could put sockets and pipes into it.
 *
 * @throws SluiceError `config_invalid`
 */
export async function makeOwnDirectory(directory: string, owner?: OsUser): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const status = await lstat(directory);
  const isOurs = status.uid === process.getuid?.() || status.uid === owner?.uid;
  if (!status.isDirectory() || !isOurs) {
    throw new SluiceError('config_invalid', `"${directory}" is not a directory of the agent's own`, {
      detail: status.isDirectory()
        ? `It belongs to the user with the number ${status.uid}.`
        : 'It is a link, or a file.',
      hint: 'Remove it, or name another in sluice.toml.',
    });
  }
  await chmod(directory, 0o700);
  if (owner !== undefined) await chown(directory, owner.uid, owner.gid);
}
