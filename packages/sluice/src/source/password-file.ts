import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { SluiceError } from '../errors.ts';
import type { ConnectionSettings } from './conninfo.ts';
import type { Environment } from './connection-settings.ts';

const READABLE_BY_OTHERS = 0o077;

/**
 * The password of a connection, asked for only when the server wants one: of the settings, or of the password file.
 * Source: https://www.postgresql.org/docs/current/libpq-pgpass.html
 *
 * @throws SluiceError `invalid_argument`: there is none
 */
export async function findPassword(settings: ConnectionSettings, environment: Environment): Promise<string> {
  const given = settings.get('password');
  if (given !== undefined) return given;
  const file = settings.get('passfile') ?? join(environment['HOME'] ?? '', '.pgpass');
  const { text, isOpenToOthers } = await readPasswordFile(file);
  const password = isOpenToOthers ? undefined : passwordFor(settings, text);
  if (password !== undefined) return password;
  throw new SluiceError('invalid_argument', 'the database wants a password, and there is none', {
    detail: isOpenToOthers
      ? `${file} is not used, as others may read or change it.`
      : `${file} has none for user "${settings.get('user') ?? ''}".`,
    hint: isOpenToOthers ? `chmod 600 ${file}` : 'Give one in PGPASSWORD, or in the password file.',
  });
}

async function readPasswordFile(file: string): Promise<{ text: string; isOpenToOthers: boolean }> {
  try {
    const { mode } = await stat(file);
    return { text: await readFile(file, 'utf8'), isOpenToOthers: (mode & READABLE_BY_OTHERS) !== 0 };
  } catch {
    // libpq does without one that it cannot read, too; the error above names the file.
    return { text: '', isOpenToOthers: false };
  }
}

function passwordFor(settings: ConnectionSettings, text: string): string | undefined {
  const host = settings.get('host') ?? '';
  const hosts = host.startsWith('/') ? [host, 'localhost'] : [host];
  const wanted = ['port', 'dbname', 'user'].map((name) => [settings.get(name) ?? '']);
  for (const line of text.split(/\r?\n/)) {
    if (line.startsWith('#')) continue;
    const fields = line.split(/(?<!\\):/).map((field) => field.replaceAll(/\\([:\\])/g, '$1'));
    const [, , , , password] = fields;
    const fits = [hosts, ...wanted].every((values, index) => {
      const field = fields[index];
      return field === '*' || values.some((value) => value === field);
    });
    if (fits && password !== undefined) return password;
  }
  return undefined;
}
