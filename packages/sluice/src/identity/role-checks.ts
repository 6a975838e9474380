import type { Logger } from 'pino';
import type { AssumeRoleError } from './assume-role-error.ts';
import type { AssociationStore } from './association-store.ts';
import type { AssociationStatus } from './role-association.ts';
import { steadyNow } from '../steady-clock.ts';

/** How often the agent looks for checks that are due. */
const TICK_MS = 500;
/** A new role is not known everywhere in AWS at once. For this long, a refusal does not make an association INVALID. */
const SETTLE_MS = 15_000;
const RECHECK_SETTLING_MS = 2_000;
/** The next check after a failure that says nothing about the role, such as that STS could not be reached. */
const RECHECK_UNKNOWN_MS = 15_000;
/** The next check, at the latest, of a role that can't be assumed: somebody may be correcting it. */
const RECHECK_INVALID_MS = 30_000;

export interface RoleChecksOptions {
  store: AssociationStore;
  log: Logger;
  intervalMs: number;
  /** Tries to assume the role. The result is passed to `RoleChecks.record`. */
  assume: (roleArn: string) => Promise<unknown>;
  /** @default 15 seconds */
  settleMs?: number | undefined;
}

interface RoleCheck {
  firstSeenAt: number;
  nextAt: number;
  /** The error of the last attempt to assume the role, if it failed. */
  lastError: AssumeRoleError | undefined;
}

/**
 * Maintains the status of the associated roles: tries to assume each role when it is added and from time to time, and
 * also records the results of the exports' own AssumeRole requests.
 */
export class RoleChecks {
  readonly #options: RoleChecksOptions;
  readonly #byRole = new Map<string, RoleCheck>();
  readonly #timer: NodeJS.Timeout;
  readonly #running = new Set<string>();

  constructor(options: RoleChecksOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#startDueChecks(), TICK_MS).unref();
    this.#startDueChecks();
  }

  /** An association was added: its role is checked at once. */
  added(roleArn: string): void {
    this.#byRole.delete(roleArn);
    this.#startDueChecks();
  }

  lastError(roleArn: string): AssumeRoleError | undefined {
    return this.#byRole.get(roleArn)?.lastError;
  }

  /** Records the result of an AssumeRole, from a check or from an export. */
  record(roleArn: string, error: AssumeRoleError | undefined): void {
    const check = this.#checkOf(roleArn);
    check.lastError = error;
    const { status, recheckMs } = this.#judge(check, error);
    check.nextAt = steadyNow() + recheckMs;
    for (const role of this.#options.store.list()) {
      if (status === undefined || role.roleArn !== roleArn || role.status === status) continue;
      const { log, store } = this.#options;
      log.info(
        { roleArn, feature: role.featureName, status, ...(error && { err: error }) },
        'status of a role',
      );
      store
        .setStatus(role, status)
        .catch((cause: unknown) => log.error({ err: cause }, 'could not keep the status of a role'));
    }
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** The status that a result implies (undefined: no change), and when to check again. */
  #judge(
    check: RoleCheck,
    error: AssumeRoleError | undefined,
  ): { status: AssociationStatus | undefined; recheckMs: number } {
    const { intervalMs, settleMs = SETTLE_MS } = this.#options;
    if (error === undefined) return { status: 'ACTIVE', recheckMs: intervalMs };
    if (error.retryable) return { status: undefined, recheckMs: Math.min(intervalMs, RECHECK_UNKNOWN_MS) };
    const isSettling = steadyNow() - check.firstSeenAt < settleMs && this.#isPending(error.roleArn);
    if (isSettling) return { status: undefined, recheckMs: Math.min(intervalMs, RECHECK_SETTLING_MS) };
    return { status: 'INVALID', recheckMs: Math.min(intervalMs, RECHECK_INVALID_MS) };
  }

  #isPending(roleArn: string): boolean {
    return this.#options.store.list().some((role) => role.roleArn === roleArn && role.status === 'PENDING');
  }

  #startDueChecks(): void {
    const roleArns = new Set(this.#options.store.list().map((role) => role.roleArn));
    for (const roleArn of this.#byRole.keys()) {
      if (!roleArns.has(roleArn)) this.#byRole.delete(roleArn);
    }
    for (const roleArn of roleArns) {
      if (steadyNow() < this.#checkOf(roleArn).nextAt || this.#running.has(roleArn)) continue;
      this.#running.add(roleArn);
      this.#options
        .assume(roleArn)
        // The error was passed to `record`.
        .catch(() => undefined)
        .finally(() => this.#running.delete(roleArn));
    }
  }

  #checkOf(roleArn: string): RoleCheck {
    const check = this.#byRole.get(roleArn) ?? { firstSeenAt: steadyNow(), nextAt: 0, lastError: undefined };
    this.#byRole.set(roleArn, check);
    return check;
  }
}
