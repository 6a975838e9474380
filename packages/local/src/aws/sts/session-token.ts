import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { z } from 'zod';

const session = z.object({
  accessKeyId: z.string(),
  secretAccessKey: z.string(),
  /** Milliseconds since 1970. */
  issuedAtMs: z.number(),
  expiresAtMs: z.number(),
  /**
   * The owner of the session. Roles and users are given by their unique id, so that a new one of the same name does not
   * get the session.
   */
  of: z.discriminatedUnion('type', [
    z.object({ type: z.literal('role'), id: z.string(), sessionName: z.string() }),
    z.object({ type: z.literal('user'), id: z.string() }),
    z.object({ type: z.literal('root') }),
  ]),
  /** Documents of session policies. */
  policies: z.array(z.string()),
  policyArns: z.array(z.string()),
  /** The tags of the session, without those of the role. */
  tags: z.record(z.string(), z.string()),
  sourceIdentity: z.string().optional(),
});

/** Temporary credentials with everything known about them. They are stored only in their token. */
export type Session = z.output<typeof session>;

const ALGORITHM = 'aes-256-gcm';
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** Encrypts a session into a token that only this account can read. @param key base64 */
export function sealSession(content: Session, key: string): string {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(ALGORITHM, Buffer.from(key, 'base64'), iv);
  const sealed = Buffer.concat([cipher.update(deflateRawSync(JSON.stringify(content))), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64');
}

/** Undefined when the token was not made with this key, or was changed. */
export function openSession(token: string, key: string): Session | undefined {
  const bytes = Buffer.from(token, 'base64');
  if (bytes.length < IV_BYTES + TAG_BYTES) return undefined;
  const decipher = createDecipheriv(ALGORITHM, Buffer.from(key, 'base64'), bytes.subarray(0, IV_BYTES));
  decipher.setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
  try {
    const opened = Buffer.concat([decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)), decipher.final()]);
    return session.parse(JSON.parse(inflateRawSync(opened).toString()));
  } catch {
    return undefined;
  }
}
