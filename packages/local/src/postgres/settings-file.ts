import { appendFile, chown, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { OsUser } from '../process/os-user.ts';

const FILE_NAME = 'sluice.conf';

/**
 * Adds an include of our settings to a new data directory's postgresql.conf; a later line there still overrides them.
 */
export async function includeSettingsFile(dataDirectory: string): Promise<void> {
  const include = `\n# Written by the local stack at each start.\ninclude_if_exists = '${FILE_NAME}'\n`;
  await appendFile(join(dataDirectory, 'postgresql.conf'), include);
}

/**
 * Writes the server's settings to a configuration file. On the command line the user could not override them, and the
 * extension reads sluice.socket_directory from the files only, since a session could set it itself.
 */
export async function writeSettingsFile(
  dataDirectory: string,
  settings: Readonly<Record<string, string>>,
  osUser: OsUser | undefined,
): Promise<void> {
  const file = join(dataDirectory, FILE_NAME);
  const lines = Object.entries(settings).map(([name, value]) => `${name} = ${quote(value)}\n`);
  // The directory belongs to PostgreSQL's user, who may have put a link there, so the file is removed before it is
  // written.
  await rm(file, { force: true });
  await writeFile(file, lines.join(''), { mode: 0o600, flag: 'wx' });
  if (osUser !== undefined) await chown(file, osUser.uid, osUser.gid);
}

/** https://www.postgresql.org/docs/current/config-setting.html#CONFIG-SETTING-CONFIGURATION-FILE */
function quote(value: string): string {
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}
