import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ConnectionOptions } from 'node:tls';
import { errnoOf, SluiceError } from '../errors.ts';
import type { ConnectionSettings } from './conninfo.ts';
import type { Environment } from './connection-settings.ts';

/** false: without TLS. */
export type TlsSettings = false | ConnectionOptions;

/**
 * How to connect, the ways in the order in which they are tried: libpq's sslmode, whose default is to take TLS where the
 * server has it. Certificates are those that are named, or of ~/.postgresql; a server is verified against the authorities
 * of Node.js where it shall be verified and no root certificate is named.
 * Source: https://www.postgresql.org/docs/current/libpq-ssl.html
 *
 * @throws SluiceError `invalid_argument`
 */
export async function tlsSettings(
  settings: ConnectionSettings,
  environment: Environment,
): Promise<TlsSettings[]> {
  const rootName = settings.get('sslrootcert');
  const mode = settings.get('sslmode') ?? (rootName === 'system' ? 'verify-full' : 'prefer');
  if (mode === 'disable' || settings.get('host')?.startsWith('/') === true) return [false];
  const read = (name: string, file: string): Promise<string | undefined> =>
    readCertificate(settings.get(name), join(environment['HOME'] ?? '', '.postgresql', file));
  const ca = rootName === 'system' ? undefined : await read('sslrootcert', 'root.crt');
  const [cert, key] = await Promise.all([
    read('sslcert', 'postgresql.crt'),
    read('sslkey', 'postgresql.key'),
  ]);
  const passphrase = settings.get('sslpassword');
  const client: ConnectionOptions = {
    ...(cert === undefined || key === undefined ? {} : { cert, key }),
    ...(passphrase === undefined ? {} : { passphrase }),
  };
  const unverified = { ...client, rejectUnauthorized: false };
  const byAuthority = { ...client, ca, checkServerIdentity: () => undefined };
  switch (mode) {
    case 'allow':
      return [false, unverified];
    case 'prefer':
      return settings.get('sslnegotiation') === 'direct' ? [unverified] : [unverified, false];
    case 'require':
      return [ca === undefined ? unverified : byAuthority];
    case 'verify-ca':
      if (ca !== undefined) return [byAuthority];
      throw new SluiceError('invalid_argument', 'cannot verify the server with sslmode=verify-ca', {
        detail: 'No root certificate is named, and anybody can have a certificate of a public authority.',
        hint: "Name the file of the server's authority in sslrootcert, or give sslmode=verify-full.",
      });
    case 'verify-full':
      return [{ ...client, ...(ca === undefined ? {} : { ca }) }];
    default:
      throw new SluiceError('invalid_argument', `invalid sslmode: "${mode}"`, {
        hint: 'It is disable, allow, prefer, require, verify-ca or verify-full.',
      });
  }
}

/** One that is named must be there. */
async function readCertificate(named: string | undefined, byDefault: string): Promise<string | undefined> {
  const file = named ?? byDefault;
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (named === undefined && errnoOf(error) !== undefined) return undefined;
    throw new SluiceError('invalid_argument', `could not read the certificate or key ${file}`, {
      cause: error,
    });
  }
}
