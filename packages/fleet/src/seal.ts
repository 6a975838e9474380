import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { SluiceError } from 'sluice';

/** What a sealed text is for; one of another purpose is not opened. */
export type SealPurpose = 'export' | 'schedule' | 'attempt' | 'piece' | 'result' | 'journal' | 'failure';

const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** Of the layout: version, nonce, ciphertext, tag. */
const VERSION = 1;

/**
 * Encrypts and authenticates what the members of a fleet tell each other through Redis (AES-256-GCM): who can only reach
 * Redis reads none of it, and none of it can be changed, made up, or put in the place of another.
 */
export class Seal {
  readonly #key: Buffer;
  readonly #keys = new Map<SealPurpose, Buffer>();

  /** @throws SluiceError `config_invalid`: that is not 32 bytes in base64 */
  constructor(base64: string) {
    const key = Buffer.from(base64, 'base64');
    if (key.byteLength !== KEY_BYTES || !/^[A-Za-z0-9+/]{43}=?$/.test(base64)) {
      throw new SluiceError('config_invalid', `fleet.key: expected ${KEY_BYTES} bytes in base64`, {
        hint: 'All machines of a fleet have the same key; openssl rand -base64 32 makes one.',
      });
    }
    this.#key = key;
  }

  /** @param context what the value belongs to: the export, the attempt, the piece. It is not opened for another */
  seal(purpose: SealPurpose, context: readonly string[], value: unknown): string {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.#keyOf(purpose), nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(contextBytes(context));
    const text = Buffer.from(JSON.stringify(value, writeBigint));
    const parts = [Buffer.of(VERSION), nonce, cipher.update(text), cipher.final(), cipher.getAuthTag()];
    return Buffer.concat(parts).toString('base64');
  }

  /** @throws SluiceError `protocol_violation`: it was not sealed by this fleet, for this purpose and context */
  open(purpose: SealPurpose, context: readonly string[], sealed: unknown): unknown {
    if (typeof sealed !== 'string') throw notSealed(purpose, undefined);
    const bytes = Buffer.from(sealed, 'base64');
    if (bytes[0] !== VERSION || bytes.byteLength < 1 + NONCE_BYTES + TAG_BYTES)
      throw notSealed(purpose, undefined);
    try {
      const nonce = bytes.subarray(1, 1 + NONCE_BYTES);
      const decipher = createDecipheriv('aes-256-gcm', this.#keyOf(purpose), nonce, {
        authTagLength: TAG_BYTES,
      });
      decipher.setAAD(contextBytes(context));
      decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
      const text = Buffer.concat([
        decipher.update(bytes.subarray(1 + NONCE_BYTES, -TAG_BYTES)),
        decipher.final(),
      ]);
      return JSON.parse(text.toString());
    } catch (error) {
      throw notSealed(purpose, error);
    }
  }

  /** A key of its own for each purpose. */
  #keyOf(purpose: SealPurpose): Buffer {
    const known = this.#keys.get(purpose);
    if (known !== undefined) return known;
    const key = Buffer.from(hkdfSync('sha256', this.#key, '', `sluice fleet ${purpose}`, KEY_BYTES));
    this.#keys.set(purpose, key);
    return key;
  }
}

/** JSON, since a boundary between two texts must not be moved. */
function contextBytes(context: readonly string[]): Buffer {
  return Buffer.from(JSON.stringify(context));
}

function writeBigint(_: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}

function notSealed(purpose: SealPurpose, cause: unknown): SluiceError {
  return new SluiceError('protocol_violation', `a text in Redis (${purpose}) was not sealed by this fleet`, {
    cause,
    hint: 'Has a machine of the fleet another key? If not, somebody has changed what is in Redis.',
  });
}
