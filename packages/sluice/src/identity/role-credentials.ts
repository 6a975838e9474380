import { AssumeRoleError } from './assume-role-error.ts';
import type { AssumeRoleRequest, SessionCredentials, Sts } from './sts.ts';
import { steadyNow } from '../steady-clock.ts';

/** How long before their expiration credentials are renewed; at most half of their lifetime. */
const RENEW_BEFORE_MS = 6 * 60_000;
/**
 * Credentials that expire within this time (at most an eighth of their lifetime) are not given out any more: the caller
 * waits for new ones.
 */
const LAST_USE_BEFORE_MS = 60_000;
/** A request for fresh credentials gets the cached ones if they were fetched within this time, by another request. */
const JUST_FETCHED_MS = 1_000;
/** The credentials of so many sessions are kept: those of the database roles that exported last. */
const MAX_SESSIONS = 256;
/** After a failed renewal the old credentials are used for this long before the next attempt. */
const RETRY_RENEWAL_MS = 10_000;

export interface RoleCredentialsOptions {
  sts: Sts;
  durationMs: number;
  externalId?: string | undefined;
  /** Called after each AssumeRole, with its error if it failed. */
  onAssumed?: ((roleArn: string, error: AssumeRoleError | undefined) => void) | undefined;
}

export interface RoleSession {
  roleArn: string;
  sessionName: string;
}

interface Entry {
  credentials?: SessionCredentials;
  fetchedAt: number;
  fetching?: Promise<SessionCredentials> | undefined;
  mayRetryAt: number;
}

/**
 * The credentials of assumed roles, for each role and session name. They are cached and renewed before they expire;
 * callers that ask at the same time share one AssumeRole request.
 */
export class RoleCredentials {
  readonly #options: RoleCredentialsOptions;
  /** In the order of last use, the latest last. */
  readonly #entries = new Map<string, Entry>();
  readonly #closing = new AbortController();

  constructor(options: RoleCredentialsOptions) {
    this.#options = options;
  }

  /**
   * @param options.forceRefresh the credentials given before are not accepted any more
   * @param options.signal ends the wait of this caller; others may still wait for the same credentials
   * @throws AssumeRoleError, or the signal's reason
   */
  async get(
    session: RoleSession,
    options: { forceRefresh?: boolean | undefined; signal?: AbortSignal | undefined } = {},
  ): Promise<SessionCredentials> {
    const { forceRefresh = false, signal } = options;
    signal?.throwIfAborted();
    const entry = this.#entryOf(session);
    const { credentials } = entry;
    if (credentials !== undefined && isUsable(credentials, entry.fetchedAt)) {
      const justFetched = steadyNow() - entry.fetchedAt < JUST_FETCHED_MS;
      if (justFetched || !forceRefresh) {
        if (needsRenewal(credentials, entry.fetchedAt) && steadyNow() >= entry.mayRetryAt) {
          // Renewed in the background. A failure is ignored here: the old credentials are still valid, and once they
          // are not, the caller gets the error.
          this.#fetch(session, entry).catch(() => undefined);
        }
        return credentials;
      }
    }
    return untilAborted(this.#fetch(session, entry), signal);
  }

  /** Forgets credentials that were refused: the next caller gets new ones. */
  forget({ roleArn, sessionName }: RoleSession): void {
    this.#entries.delete(keyOf({ roleArn, sessionName }));
  }

  /** Forgets every session of a role. */
  forgetRole(roleArn: string): void {
    for (const key of this.#entries.keys()) {
      if (key.startsWith(keyOf({ roleArn, sessionName: '' }))) this.#entries.delete(key);
    }
  }

  /** Aborts the requests in flight. */
  close(): void {
    this.#closing.abort(new Error('the agent is shutting down'));
    this.#entries.clear();
  }

  #entryOf(session: RoleSession): Entry {
    const key = keyOf(session);
    const entry = this.#entries.get(key) ?? { fetchedAt: 0, mayRetryAt: 0 };
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    for (const [oldest] of this.#entries) {
      if (this.#entries.size <= MAX_SESSIONS) break;
      this.#entries.delete(oldest);
    }
    return entry;
  }

  #fetch(session: RoleSession, entry: Entry): Promise<SessionCredentials> {
    entry.fetching ??= this.#assume(session)
      .then(
        (credentials) => {
          entry.credentials = credentials;
          entry.fetchedAt = steadyNow();
          return credentials;
        },
        (error: unknown) => {
          entry.mayRetryAt = steadyNow() + RETRY_RENEWAL_MS;
          throw error;
        },
      )
      .finally(() => {
        entry.fetching = undefined;
      });
    return entry.fetching;
  }

  async #assume({ roleArn, sessionName }: RoleSession): Promise<SessionCredentials> {
    const { sts, durationMs, externalId, onAssumed } = this.#options;
    const signal = this.#closing.signal;
    const request: AssumeRoleRequest = { roleArn, sessionName, durationMs, externalId };
    try {
      const credentials = await sts.assumeRole(request, { signal });
      onAssumed?.(roleArn, undefined);
      return credentials;
    } catch (error) {
      signal.throwIfAborted();
      const failure = await toAssumeRoleError(error, { roleArn, externalId, sts }, signal);
      onAssumed?.(roleArn, failure);
      throw failure;
    }
  }
}

/** For a denied AssumeRole, also asks STS for the agent's own ARN, so that the error can name it. */
async function toAssumeRoleError(
  cause: unknown,
  { sts, ...request }: { roleArn: string; externalId: string | undefined; sts: Sts },
  signal: AbortSignal,
): Promise<AssumeRoleError> {
  const target = { ...request, endpoint: sts.endpoint };
  const error = new AssumeRoleError(cause, target);
  if (error.failure !== 'denied') return error;
  const callerArn = await sts.callerArn({ signal }).catch(() => undefined);
  return callerArn === undefined ? error : new AssumeRoleError(cause, { ...target, callerArn });
}

function isUsable({ expiration }: SessionCredentials, fetchedAt: number): boolean {
  const margin = Math.min(LAST_USE_BEFORE_MS, (expiration.getTime() - fetchedAt) / 8);
  return expiration.getTime() - Date.now() > margin;
}

function needsRenewal({ expiration }: SessionCredentials, fetchedAt: number): boolean {
  const margin = Math.min(RENEW_BEFORE_MS, (expiration.getTime() - fetchedAt) / 2);
  return expiration.getTime() - Date.now() < margin;
}

function keyOf({ roleArn, sessionName }: RoleSession): string {
  return `${roleArn}\n${sessionName}`;
}

function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
