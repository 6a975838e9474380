import { createHmac, randomBytes } from 'node:crypto';
import { isSameSecret } from './token.ts';

export const SESSION_COOKIE = 'sluice_fleet';
const SESSION_S = 12 * 60 * 60;

/**
 * Cookies of browsers that gave the token. They hold their end and its seal, by a key of this process: nothing is kept
 * for them, they say nothing of the token, and end with the process.
 */
export class SessionCookies {
  readonly #key = randomBytes(32);

  /** @param now in milliseconds */
  issue(now = Date.now()): { value: string; maxAge: number } {
    const end = String(Math.floor(now / 1000) + SESSION_S);
    return { value: `${end}.${this.#seal(end)}`, maxAge: SESSION_S };
  }

  isValid(cookie: string | undefined, now = Date.now()): boolean {
    const [, end = '', seal = ''] = /^(\d{1,15})\.([\w-]+)$/.exec(cookie ?? '') ?? [];
    return isSameSecret(seal, this.#seal(end)) && Number(end) * 1000 > now;
  }

  #seal(end: string): string {
    return createHmac('sha256', this.#key).update(end).digest('base64url');
  }
}
