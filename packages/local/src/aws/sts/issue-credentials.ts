import type { XmlElement } from 'sluice/aws-protocol';
import { newAccessKeyId, newSecretAccessKey } from '../iam/ids.ts';
import { iamDate } from '../iam/names.ts';
import { sealSession, type Session } from './session-token.ts';

/** Makes temporary keys for a session. Nothing is stored: everything is in the token. @param tokenKey base64 */
export function issueCredentials(
  session: Omit<Session, 'accessKeyId' | 'secretAccessKey' | 'issuedAtMs' | 'expiresAtMs'>,
  { durationSeconds, tokenKey }: { readonly durationSeconds: number; readonly tokenKey: string },
): XmlElement {
  const accessKeyId = newAccessKeyId('ASIA');
  const secretAccessKey = newSecretAccessKey();
  const issuedAtMs = Date.now();
  // The answer gives the expiration in whole seconds.
  const expiresAtMs = Math.floor(issuedAtMs / 1000 + durationSeconds) * 1000;
  const sealed = { ...session, accessKeyId, secretAccessKey, issuedAtMs, expiresAtMs };
  return [
    'Credentials',
    [
      ['AccessKeyId', accessKeyId],
      ['SecretAccessKey', secretAccessKey],
      ['SessionToken', sealSession(sealed, tokenKey)],
      ['Expiration', iamDate(new Date(expiresAtMs))],
    ],
  ];
}
